import { BerthError } from '@berth/client';

/** @returns the code it was refused with, or `null` */
export async function refusable(work: () => Promise<unknown>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (!(error instanceof BerthError) || error.code === 'INTERNAL') throw error;
    return error.code;
  }
}
