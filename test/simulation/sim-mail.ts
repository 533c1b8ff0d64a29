import type { Carried, Carrier, Message } from '@berth/server/mail/smtp';
import type { MailTaken } from '../auditor/mails.js';
import type { Dice } from './sim-random.js';
import type { Owner, SimTime } from './sim-time.js';

/** How far a mail server is from berthd, ms on average. */
const DISTANCE_MS = 15;

/** Where the mail server itself ended with an answer on its way, it is away for so long at most, ms: time enough for a rename before the mail is handed over again. */
const AWAY_MS = 3_600_000;

type Fate = 'taken' | 'answer lost' | 'busy' | 'away' | 'refused';

/** The mail server of a site: what it has taken it has for good, whether berthd lives to hear of it or not. */
export class SimMailServer {
  readonly taken: MailTaken[] = [];
  /** It only does what goes well. */
  isHealed = false;
  readonly #time: SimTime;
  readonly #dice: Dice;
  readonly #itself: Owner;
  #awayUntilMs = 0;

  constructor(time: SimTime, dice: Dice, itself: Owner) {
    this.#time = time;
    this.#dice = dice;
    this.#itself = itself;
  }

  /** It ended with an answer on its way. */
  get isAway(): boolean {
    return !this.isHealed && this.#time.nowMs < this.#awayUntilMs;
  }

  /** A connection of one process of berthd. */
  open(owner: Owner): Carrier {
    return {
      send: (message) => this.#send(message, owner),
      abort: () => {},
      close: () => {},
    };
  }

  #send(message: Message, owner: Owner): Promise<Carried> {
    return new Promise((resolve) => {
      const fate = this.#fate();
      this.#time.after(this.#dice.about(DISTANCE_MS), this.#itself, () => {
        if (fate === 'taken' || fate === 'answer lost') this.#take(message);
        this.#time.after(this.#dice.about(DISTANCE_MS), owner, () => resolve(answers[fate]));
      });
    });
  }

  #take({ messageId, to, from, subject, text }: Message): void {
    const words = `${from.name}\n${subject}\n${text}`;
    this.taken.push({ t: this.#time.nowMs, messageId, to, words });
  }

  #fate(): Fate {
    if (this.isHealed) return 'taken';
    if (this.isAway) return 'away';
    if (this.#dice.below(100) < 92) return 'taken';
    const fate = this.#dice.pick(['answer lost', 'busy', 'away', 'refused'] as const);
    if (fate === 'answer lost' && this.#dice.chance(0.5))
      this.#awayUntilMs = this.#time.nowMs + this.#dice.below(AWAY_MS);
    return fate;
  }
}

const answers: Readonly<Record<Fate, Carried>> = {
  taken: { state: 'sent', answer: '250 ok' },
  'answer lost': { state: 'deferred', error: 'the connection broke', unsure: true, serverFailed: true },
  busy: { state: 'deferred', error: '451 later', unsure: false },
  away: { state: 'deferred', error: 'connection refused', unsure: false, serverFailed: true },
  refused: { state: 'refused', error: '550 no such user' },
};
