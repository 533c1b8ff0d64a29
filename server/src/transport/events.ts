import type { CloseReason, ErrorCode, Method, ParamsOf, PathName, Witness } from '@berth/protocol';
import type { AdmissionRefusal } from './admission.js';
import type { HttpRefusalCode } from './http-refusals.js';

/** Why a socket ended: one of our close codes, or what the peer or the network did. */
export type EndReason =
  | CloseReason
  | 'PEER_CLOSED'
  | 'CONNECTION_LOST'
  /** Two pings went unanswered: the other end is half-open. */
  | 'UNRESPONSIVE'
  /** A violation of RFC 6455 itself. */
  | 'PROTOCOL_ERROR';

export type RefusalReason =
  | AdmissionRefusal
  | HttpRefusalCode
  | EndReason
  | ErrorCode
  | 'TLS_HANDSHAKE'
  /** The next request before the answer to the one before (PROTOCOL 2.1). */
  | 'HTTP_PIPELINED'
  | 'SOCKET_LIMIT';

export interface SessionFacts {
  readonly session: string;
  readonly path: PathName;
  readonly deviceId: string;
  readonly email: string;
  readonly address: string;
}

/** Everything the transport tells about itself: feeds log, metrics and audit. */
export type TransportEvent =
  | {
      readonly type: 'sessionOpened';
      readonly session: SessionFacts;
      readonly client: NonNullable<ParamsOf<'session.open'>['client']> | null;
      /** What the client has seen of our journal (I9, I10). */
      readonly witness: Witness | null;
    }
  | {
      readonly type: 'sessionClosed';
      readonly session: SessionFacts;
      readonly reason: EndReason;
      readonly openMs: number;
    }
  /** A session was closed because its device opened one from another address (`by`). */
  | { readonly type: 'superseded'; readonly session: SessionFacts; readonly by: string }
  /** A socket or a request without a session was turned away. */
  | { readonly type: 'refused'; readonly reason: RefusalReason; readonly address: string }
  /** A bug of ours: something threw, or answered more than fits a frame. `method`: null on plain HTTP. */
  | { readonly type: 'handlerError'; readonly method: Method | null; readonly error: unknown }
  /** One frame answered. `method` is null when it is none of ours, so that metrics take no label from strangers. */
  | {
      readonly type: 'request';
      readonly method: Method | null;
      readonly ok: boolean;
      readonly code: ErrorCode | null;
      readonly elapsedMs: number;
    };

export type EmitEvent = (event: TransportEvent) => void;
