// For the tests of plugins: see docs/plugin-developers.md.
export { type DenyFacts, FakeServer, type FakeServerOptions } from './fake-server.js';
export type { FakeProduct } from './fake-vendor.js';
