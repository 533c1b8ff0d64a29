import { Admission, type Ticket } from '@berth/server/transport/admission';
import { defaultLimits } from '@berth/server/transport/limits';
import { describe, expect, it } from 'vitest';

function admitted(admission: Admission, address: string): Ticket {
  const ticket = admission.admit(address, 0, () => {});
  if (typeof ticket === 'string') throw new Error(ticket);
  return ticket;
}

describe('admission', () => {
  it('limits strangers in all', () => {
    const admission = new Admission({ ...defaultLimits, unauthenticatedSockets: 2 });
    const first = admitted(admission, '10.0.0.1');
    admitted(admission, '10.0.0.2');
    expect(admission.admit('10.0.0.2', 0, () => {})).toBe('UNAUTHENTICATED_SOCKETS');
    first.authenticate('device');
    admitted(admission, '10.0.0.2');
  });

  it('takes the place for an address with fewer strangers from the oldest of the address with most', () => {
    const admission = new Admission({ ...defaultLimits, unauthenticatedSockets: 4 });
    const ended: string[] = [];
    const come = (address: string, name: string) => admission.admit(address, 0, () => ended.push(name));
    for (const name of ['a1', 'a2', 'a3']) come('10.0.0.1', name);
    const neighbour = come('10.0.0.2', 'b1');
    expect(typeof come('10.0.0.3', 'c1')).toBe('object');
    expect(ended).toEqual(['a1']);
    // Two, one and one: who has two cannot have a third, and who has none gets one of the two.
    expect(come('10.0.0.1', 'a4')).toBe('UNAUTHENTICATED_SOCKETS');
    expect(typeof come('10.0.0.4', 'd1')).toBe('object');
    expect(ended).toEqual(['a1', 'a2']);
    expect(admission.unauthenticated).toBe(4);
    // One with a session is nobody's place any more.
    if (typeof neighbour === 'object') neighbour.authenticate('device');
    expect(admission.unauthenticated).toBe(3);
  });

  it('limits handshakes by address and second', () => {
    const admission = new Admission({ ...defaultLimits, tlsHandshakesPerAddressPerSecond: 2 });
    admitted(admission, '10.0.0.1');
    admitted(admission, '10.0.0.1');
    expect(admission.admit('10.0.0.1', 0, () => {})).toBe('HANDSHAKE_RATE');
    expect(typeof admission.admit('10.0.0.1', 500, () => {})).toBe('object');
  });

  it('knows the address at which each device last proved who it is, and no other', () => {
    const admission = new Admission(defaultLimits);
    const [office, home] = [admitted(admission, '10.0.0.1'), admitted(admission, '10.0.0.2')];
    expect(admission.isKnown('10.0.0.1')).toBe(false);
    office.authenticate('anna');
    office.authenticate('anna');
    office.authenticate('ben');
    office.release();
    expect(admission.isKnown('10.0.0.1')).toBe(true);
    home.authenticate('anna');
    expect([admission.isKnown('10.0.0.1'), admission.isKnown('10.0.0.2')]).toEqual([true, true]);
    home.authenticate('ben');
    expect([admission.isKnown('10.0.0.1'), admission.isKnown('10.0.0.2')]).toEqual([false, true]);
  });

  it('forgets an address with its last socket, and counts each socket once', () => {
    const admission = new Admission(defaultLimits);
    const [one, two] = [admitted(admission, '10.0.0.1'), admitted(admission, '10.0.0.1')];
    one.authenticate('device');
    one.authenticate('device');
    expect(admission.unauthenticated).toBe(1);
    one.release();
    one.release();
    expect(admission.addresses).toBe(1);
    two.release();
    expect([admission.addresses, admission.unauthenticated]).toEqual([0, 0]);
  });
});
