// How long the server waits before a seat is free (PROTOCOL 6). In BigInts: exact, whatever the language.

const ceilDiv = (a, b) => (a + b - 1n) / b;
const windowMs = (durationMs) => Number(ceilDiv(BigInt(durationMs) * 1001n, 999n) + 10_000n);
const freeAtMs = (iatMs, expMs) =>
  Number(BigInt(expMs) + 900_000n + ceilDiv(2n * BigInt(expMs - iatMs), 1000n));

const seconds = [1, 2, 3, 5, 10, 60, 120, 300, 999, 1000, 1998, 3600, 86_400, 31_622_400];
const iatMs = Date.UTC(2026, 8, 1, 12, 0, 0);

export const windowVectors = () => ({
  note: 'online: W = ceil(D * 1001 / 999) + 10000, in ms from the last renewal. borrow: freeAt = exp + 900000 + ceil(2 (exp - iat) / 1000), in ms since 1970.',
  online: [999, 1, 1998, 123_457, ...seconds.map((n) => n * 1000)].map((durationMs) => ({
    durationMs,
    windowMs: windowMs(durationMs),
  })),
  borrow: seconds.map((n) => ({
    issuedAtMs: iatMs,
    expiresAtMs: iatMs + n * 1000,
    freeAtMs: freeAtMs(iatMs, iatMs + n * 1000),
  })),
});
