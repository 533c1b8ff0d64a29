import type { Engine } from './engine.js';
import type { Issuer } from './issuer.js';

/** A signed checkpoint of the journal, so that a truncated copy shows against it (I10). */
export async function writeCheckpoint({
  engine,
  issuer,
  clock,
}: {
  readonly engine: Pick<Engine, 'submit' | 'witness'>;
  readonly issuer: Issuer;
  readonly clock: { now(): { readonly wallMs: number } };
}): Promise<void> {
  const iat = Math.floor(clock.now().wallMs / 1000);
  await engine.submit({ type: 'checkpoint', token: issuer.issue('checkpoint', { ...engine.witness, iat }) });
}
