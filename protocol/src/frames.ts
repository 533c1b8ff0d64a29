import type { ErrorCode } from './errors.js';

// JSON-RPC 2.0 frames as text (PROTOCOL 3). `decode(unknown)` in one place (STYLE 4): nothing else looks at raw frames.

export type RequestId = number | string;

export interface RequestFrame {
  readonly type: 'request';
  readonly id: RequestId;
  readonly method: string;
  readonly params: unknown;
}
export interface NotificationFrame {
  readonly type: 'notification';
  readonly method: string;
  readonly params: unknown;
}
export interface ResultFrame {
  readonly type: 'result';
  readonly id: RequestId;
  readonly result: unknown;
}
export interface ErrorFrame {
  readonly type: 'error';
  /** `null` when the sender could not tell which request it answers. */
  readonly id: RequestId | null;
  readonly number: number;
  readonly message: string;
  readonly data: unknown;
}
export interface InvalidFrame {
  readonly type: 'invalid';
  readonly code: 'FRAME_INVALID' | 'REQUEST_INVALID';
  readonly id: RequestId | null;
}
export type Frame = RequestFrame | NotificationFrame | ResultFrame | ErrorFrame | InvalidFrame;

/** Reads one text frame. Never throws; batches (JSON arrays) are not part of `berth.v1` and are invalid. */
export function decodeFrame(text: string): Frame {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { type: 'invalid', code: 'FRAME_INVALID', id: null };
  }
  if (!isRecord(value)) return { type: 'invalid', code: 'REQUEST_INVALID', id: null };
  const id = isRequestId(value.id) ? value.id : null;
  const invalid: InvalidFrame = { type: 'invalid', code: 'REQUEST_INVALID', id };
  if (value.jsonrpc !== '2.0') return invalid;
  if (typeof value.method === 'string') {
    if (value.params !== undefined && !isRecord(value.params)) return invalid;
    const params = value.params ?? {};
    if (value.id === undefined) return { type: 'notification', method: value.method, params };
    return id === null ? invalid : { type: 'request', id, method: value.method, params };
  }
  if (isRecord(value.error)) return errorFrame(value.error, id) ?? invalid;
  return id !== null && 'result' in value ? { type: 'result', id, result: value.result } : invalid;
}

function errorFrame(error: Record<string, unknown>, id: RequestId | null): ErrorFrame | null {
  const { code, message, data } = error;
  if (typeof code !== 'number' || typeof message !== 'string') return null;
  return { type: 'error', id, number: code, message, data };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRequestId(value: unknown): value is RequestId {
  return typeof value === 'number'
    ? Number.isSafeInteger(value)
    : typeof value === 'string' && value.length <= 64;
}

export function encodeRequest(id: RequestId, method: string, params: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params });
}

export function encodeNotification(method: string, params: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', method, params });
}

export function encodeResult(id: RequestId, result: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', id, result });
}

/** What an error says beyond its number: `data` of a JSON-RPC error. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly next: string;
  readonly [detail: string]: unknown;
}

export function encodeError(id: RequestId | null, number: number, message: string, data: ErrorData): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code: number, message, data } });
}
