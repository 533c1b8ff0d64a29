import type { TLSSocket } from 'node:tls';
import type { PathName } from '@berth/protocol';
import type { Gate } from '@berth/server/transport/api';
import type { Connection } from '@berth/server/transport/connection';
import type { Wire } from './sim-network.js';

/** A client is through TLS and the upgrade, and nobody knows yet who it is. */
export function arrivalOf(
  path: string,
  { binding, line }: Wire,
  gate: Gate,
): ConstructorParameters<typeof Connection>[1] {
  return {
    path: (path.endsWith('admin') ? 'admin' : 'lease') as PathName,
    tls: { exportKeyingMaterial: () => Buffer.from(binding) } as unknown as TLSSocket,
    ticket: {
      address: line.address,
      acceptedAtMs: gate.monoMs(),
      authenticate: () => {},
      release: () => {},
    },
  };
}
