import { Admission, type Ticket } from '@berth/server/transport/admission';
import { defaultLimits } from '@berth/server/transport/limits';
import { describe, expect, it } from 'vitest';

function admitted(admission: Admission, address: string): Ticket {
  const ticket = admission.admit(address, 0);
  if (typeof ticket === 'string') throw new Error(ticket);
  return ticket;
}

describe('admission', () => {
  it('limits strangers in all', () => {
    const admission = new Admission({ ...defaultLimits, unauthenticatedSockets: 2 });
    const first = admitted(admission, '10.0.0.1');
    admitted(admission, '10.0.0.2');
    expect(admission.admit('10.0.0.3', 0)).toBe('UNAUTHENTICATED_SOCKETS');
    first.authenticate();
    admitted(admission, '10.0.0.3');
  });

  it('limits handshakes by address and second', () => {
    const admission = new Admission({ ...defaultLimits, tlsHandshakesPerAddressPerSecond: 2 });
    admitted(admission, '10.0.0.1');
    admitted(admission, '10.0.0.1');
    expect(admission.admit('10.0.0.1', 0)).toBe('HANDSHAKE_RATE');
    expect(typeof admission.admit('10.0.0.1', 500)).toBe('object');
  });

  it('forgets an address with its last socket, and counts each socket once', () => {
    const admission = new Admission(defaultLimits);
    const [one, two] = [admitted(admission, '10.0.0.1'), admitted(admission, '10.0.0.1')];
    one.authenticate();
    one.authenticate();
    expect(admission.unauthenticated).toBe(1);
    one.release();
    one.release();
    expect(admission.addresses).toBe(1);
    two.release();
    expect([admission.addresses, admission.unauthenticated]).toEqual([0, 0]);
  });
});
