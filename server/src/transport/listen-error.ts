import { formatAddress } from '@berth/protocol';

export type ListenErrorCode =
  | 'PORT_TAKEN'
  | 'PORT_FORBIDDEN'
  | 'HOST_UNKNOWN'
  | 'CERTIFICATE_INVALID'
  | 'LISTEN_FAILED';

/** Why the listener did not start: what happened, and what to do next. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: ListenErrorCode;
  readonly next: string;

  constructor(code: ListenErrorCode, message: string, next: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
    this.next = next;
  }
}

type Explain = (where: string) => {
  readonly code: ListenErrorCode;
  readonly message: string;
  readonly next: string;
};

const hostUnknown: Explain = (where) => ({
  code: 'HOST_UNKNOWN',
  message: `${where} is not at an address of this machine.`,
  next: 'Listen on 0.0.0.0, on :: or on an address that this machine has.',
});

/** By the code of the operating system. */
const explanations: Readonly<Record<string, Explain>> = {
  EADDRINUSE: (where) => ({
    code: 'PORT_TAKEN',
    message: `Another program listens on ${where}.`,
    next: 'Stop it (is berthd running already?), or choose another port.',
  }),
  EACCES: (where) => ({
    code: 'PORT_FORBIDDEN',
    message: `This user may not listen on ${where}.`,
    next: 'Choose a port of 1024 or above, or allow the service to bind low ports.',
  }),
  EADDRNOTAVAIL: hostUnknown,
  ENOTFOUND: hostUnknown,
  EAI_AGAIN: hostUnknown,
};

export function listenError(cause: unknown, host: string, port: number): ListenError {
  const where = formatAddress({ host, port });
  const explain = explanations[systemCode(cause)];
  if (explain !== undefined) {
    const { code, message, next } = explain(where);
    return new ListenError(code, message, next, cause);
  }
  const message = `Listening on ${where} failed: ${textOf(cause)}.`;
  return new ListenError('LISTEN_FAILED', message, 'Look up the message of the operating system.', cause);
}

export function certificateError(cause: unknown): ListenError {
  return new ListenError(
    'CERTIFICATE_INVALID',
    `The TLS key or certificate cannot be used: ${textOf(cause)}.`,
    'Give a PEM key and the certificate that was made for it, followed by its intermediates.',
    cause,
  );
}

function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
