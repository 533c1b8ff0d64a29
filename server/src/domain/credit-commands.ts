import type { CreditInfo } from '@berth/protocol';
import type { Asked } from './commands.js';
import type { CreditGrant } from './credit-rows.js';

/** Commands about credits: what is spent, who may spend, and who asks for more. */
export interface CreditCommands {
  consumeCredits: Asked & { readonly product: string; readonly credits: number };
  askCredits: Asked & { readonly credits: number; readonly note: string };
  /** @param was what the caller saw; `null`: whatever it is */
  setCreditAccess: Asked & {
    readonly email: string;
    readonly grant: CreditGrant;
    readonly was: CreditGrant | null;
  };
  answerCredits: Asked & {
    readonly email: string;
    /** The request that the caller saw; `null`: whichever is open. */
    readonly id: string | null;
    readonly approve: boolean;
    /** `null`: as much more as was asked for. */
    readonly grant: CreditGrant | null;
    readonly note: string;
  };
}

/** What they led to. */
export interface CreditOutcomes {
  consumeCredits: { readonly id: string; readonly credits: number; readonly left: number };
  askCredits: { readonly id: string; readonly credits: number };
  setCreditAccess: { readonly email: string; readonly credits: CreditInfo; readonly changed: boolean };
  answerCredits: { readonly email: string; readonly approved: boolean; readonly credits: CreditInfo };
}
