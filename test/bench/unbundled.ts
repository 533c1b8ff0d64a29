// `berthd` from its many files: a profile then says in which of them the time went.
import { start } from '@berth/server/main';

await start();
