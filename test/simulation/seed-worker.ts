import type { Job } from './crew.js';
import { simulate } from './run.js';

// One process of a crew: it runs the seeds it is sent, one after the other.
process.on('message', (job) => {
  void simulate(job as Job).then((report) => process.send!(report));
});
// Whoever sends them is gone: what this one finds nobody would hear.
process.on('disconnect', () => process.exit());
