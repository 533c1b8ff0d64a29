// Keeps beside a program in one file what V8 compiles it to (decision 0019), as it is after one command, so that what every command needs
// is in it: `node keep-compiled.js BUNDLE.js`, with the module that loads the program.
import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [node, , loader] = process.argv;
const { load, compiledFile } = await import(pathToFileURL(loader).href);
const { exports, script, seal } = load();
process.argv = [node, compiledFile, '--version'];
await exports.start();
const kept = script.createCachedData();
writeFileSync(`${compiledFile}.new`, Buffer.concat([seal(kept), kept]));
// For everybody who may start the program; it may have made itself private.
chmodSync(`${compiledFile}.new`, 0o644);
renameSync(`${compiledFile}.new`, compiledFile);
