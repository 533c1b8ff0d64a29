import type { Mutant } from './mutant.js';
import { plantedInBorrows } from './planted-borrows.js';
import { plantedInClients } from './planted-clients.js';
import { plantedInCredits } from './planted-credits.js';
import { plantedInEntitlements } from './planted-entitlements.js';
import { plantedInLeases } from './planted-leases.js';
import { plantedInOffice } from './planted-office.js';
import { plantedInPeople } from './planted-people.js';
import { plantedInPrunes } from './planted-prunes.js';
import { plantedInReleases } from './planted-releases.js';
import { plantedInRestores } from './planted-restores.js';
import { plantedInStore } from './planted-store.js';

export const mutants: readonly Mutant[] = [
  ...plantedInStore,
  ...plantedInLeases,
  ...plantedInBorrows,
  ...plantedInEntitlements,
  ...plantedInCredits,
  ...plantedInOffice,
  ...plantedInPeople,
  ...plantedInReleases,
  ...plantedInPrunes,
  ...plantedInRestores,
  ...plantedInClients,
];
