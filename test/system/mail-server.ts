import type { AddressInfo, Socket } from 'node:net';
import { createAuthority, issueServerCertificate } from '@berth/server/transport/certificates';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';

/** What becomes of a message: taken, answered with a code, or the connection breaks, before the whole of it is there or after. */
export type Fate =
  | 'take'
  | { readonly at: 'rcpt' | 'data'; readonly code: number }
  /** While the message is still being sent. */
  | 'drop'
  /** All of it has come and is kept; the answer never leaves. */
  | 'take and drop'
  /** No answer comes, and the message is in no mailbox. */
  | 'hang'
  /** No answer comes, and the message is in its mailbox. */
  | 'take and hang';

export interface Taken {
  readonly to: string;
  readonly messageId: string;
  readonly raw: string;
  readonly user: unknown;
  readonly secure: boolean;
}

/** A real mail server on loopback, with STARTTLS and login, that does what a test wants of it. */
export class MailServer {
  /** Messages that are in somebody's mailbox now. */
  readonly taken: Taken[] = [];
  /** For the next messages, in order; then `take`. */
  readonly fates: Fate[] = [];
  /** Of a message to one of these the connection breaks, each time. */
  readonly poisoned = new Set<string>();
  /** Messages that began. */
  begun = 0;
  /** Messages that got no answer and never will. */
  hanging = 0;
  readonly #server: SMTPServer;
  readonly #sockets = new Set<Socket>();

  private constructor(
    readonly caPem: string,
    certificate: { readonly certPem: string; readonly keyPem: string },
    starttls: boolean,
  ) {
    this.#server = new SMTPServer({
      cert: certificate.certPem,
      key: certificate.keyPem,
      authMethods: ['PLAIN', 'LOGIN'],
      ...(starttls ? {} : { disabledCommands: ['STARTTLS'], allowInsecureAuth: true }),
      onAuth: ({ username, password }, _session, answer) =>
        username === 'berth' && password === 'correct horse'
          ? answer(null, { user: username })
          : answer(failure(535, 'Authentication failed')),
      onRcptTo: (_address, _session, answer) => {
        this.begun += 1;
        const fate = this.fates[0];
        if (typeof fate !== 'object' || fate.at !== 'rcpt') return answer();
        this.fates.shift();
        answer(failure(fate.code, 'The test says so'));
      },
      onData: (stream, session, answer) => this.#receive(stream, session, answer),
    });
    // A client that vanishes is what these tests are about.
    this.#server.on('error', () => undefined);
    this.#server.server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(
    options: { readonly starttls?: boolean; readonly port?: number; readonly certificate?: Certified } = {},
  ): Promise<MailServer> {
    const certificate = options.certificate ?? (await certified());
    const server = new MailServer(certificate.caPem, certificate, options.starttls ?? true);
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject);
      server.#server.listen(options.port ?? 0, '127.0.0.1', resolve);
    });
    return server;
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port;
  }

  /** Message-IDs, in the order in which they came. */
  get ids(): string[] {
    return this.taken.map(({ messageId }) => messageId);
  }

  close(): Promise<void> {
    this.drop();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  /** Breaks every connection. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #receive(
    stream: SMTPServerDataStream,
    session: SMTPServerSession,
    answer: (error?: Error | null) => void,
  ): void {
    const fate = this.fates.shift() ?? 'take';
    if (fate === 'drop' || this.poisoned.has(session.envelope.rcptTo[0]!.address)) {
      this.drop();
      return;
    }
    const parts: Buffer[] = [];
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.once('end', () => {
      if (typeof fate === 'object') return answer(failure(fate.code, 'The test says so'));
      if (fate === 'hang' || fate === 'take and hang') this.hanging += 1;
      if (fate === 'hang') return;
      const raw = Buffer.concat(parts).toString();
      const { user, secure, envelope } = session;
      const messageId = /^Message-ID: (.*)$/im.exec(raw)?.[1]?.trim() ?? '';
      this.taken.push({ to: envelope.rcptTo[0]!.address, messageId, raw, user, secure });
      if (fate === 'take and drop') this.drop();
      else if (fate === 'take') answer();
    });
  }
}

/** A certificate, and the authority that it is of. */
interface Certified {
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
}

async function certified(): Promise<Certified> {
  const nowMs = Date.now();
  const authority = await createAuthority('Mail of the test', nowMs);
  const issued = await issueServerCertificate(authority, { names: ['127.0.0.1'], days: 2, nowMs });
  return { ...issued, caPem: authority.certPem };
}

function failure(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
