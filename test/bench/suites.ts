import type { Suite } from './bench.js';
import { admin } from './suites/admin.js';
import { boot } from './suites/boot.js';
import { sessions, storm } from './suites/crowd.js';
import { checkout, deny, limit, release, renew } from './suites/operations.js';
import { scale } from './suites/scale.js';

/** Every suite there is, in the order in which they are run. */
export const suites: readonly Suite[] = [
  limit,
  checkout,
  renew,
  release,
  deny,
  scale,
  sessions,
  storm,
  boot,
  admin,
];
