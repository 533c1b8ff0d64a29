import { limits } from '@berth/protocol';
import type { BulkRow } from '../domain/bulk.js';
import { type Denial, deny } from '../domain/commands.js';
import type { RawRow } from './bulk-table.js';

/** Rows that are on their way, kept in memory until something is done with them. */
export interface Upload {
  readonly header: readonly string[];
  readonly rows: RawRow[];
  readonly device: string;
  chars: number;
  touchedMs: number;
  /** What its last preview said, for the pages after the first. */
  previewed?: {
    /** What was asked of the rows: a page of something else is another preview. */
    readonly asked: string;
    readonly rows: readonly BulkRow[];
    readonly ignored: readonly string[];
  };
}

const PER_DEVICE = 2;

/** Uploads of a server. A device has two at a time, for what one command asks while another is between its rows and its job: a new one takes the place of the older. */
export class BulkUploads {
  readonly #uploads = new Map<string, Upload>();

  /** Adds rows; those that came before (a repetition) are not added again. */
  put(
    device: string,
    id: string,
    part: { readonly header: readonly string[]; readonly from: number; readonly rows: readonly RawRow[] },
    nowMs: number,
  ): Upload | Denial {
    this.#forget(nowMs);
    const upload = this.#uploads.get(id) ?? this.#begin(device, id, part.header, nowMs);
    if ('ok' in upload) return upload;
    if (upload.device !== device || part.from > upload.rows.length) return deny('UPLOAD_UNKNOWN');
    const fresh = part.rows.slice(upload.rows.length - part.from);
    const chars = fresh.reduce((sum, { cells }) => sum + cells.join('').length + 16, upload.chars);
    if (upload.rows.length + fresh.length > limits.bulkRows || chars > limits.bulkChars)
      return deny('BULK_TOO_LARGE', undefined, { rows: limits.bulkRows });
    if (fresh.length > 0) delete upload.previewed;
    upload.rows.push(...fresh);
    upload.chars = chars;
    upload.touchedMs = nowMs;
    return upload;
  }

  get(device: string, id: string, nowMs: number): Upload | Denial {
    this.#forget(nowMs);
    const upload = this.#uploads.get(id);
    return upload === undefined || upload.device !== device ? deny('UPLOAD_UNKNOWN') : upload;
  }

  #begin(device: string, id: string, header: readonly string[], nowMs: number): Upload | Denial {
    const own = [...this.#uploads].filter(([, { device: whose }]) => whose === device);
    for (const [other] of own.slice(0, Math.max(0, own.length + 1 - PER_DEVICE))) this.#uploads.delete(other);
    if (this.#uploads.size >= limits.bulkUploads)
      return deny('BULK_BUSY', undefined, { uploads: this.#uploads.size });
    const upload: Upload = { header, rows: [], device, chars: 0, touchedMs: nowMs };
    this.#uploads.set(id, upload);
    return upload;
  }

  #forget(nowMs: number): void {
    for (const [id, { touchedMs }] of this.#uploads)
      if (nowMs - touchedMs > limits.bulkUploadMs) this.#uploads.delete(id);
  }
}
