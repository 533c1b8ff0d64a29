// A program of ours in one file that starts soon (decision 0019): for the build of `berth` and `berthd`. Nothing is renamed or squeezed,
// so that a stack trace says what the source says.
import { execFileSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

/** What yargs measures and wraps help with: setting it up is a sixth of what a start costs, and few commands print help. */
const text = ['string-width', 'wrap-ansi'];

/**
 * @param input the compiled module that exports `start()`
 * @param bundle its bin/bundle.js: where the file goes; what is imported late goes into files beside it, with its name before theirs
 * @param external what stays outside
 */
export async function putIntoOneFile({ input, bundle, external }) {
  const { bundleFile: file } = await import(pathToFileURL(bundle).href);
  const textFile = `${basename(file, '.cjs')}-text.cjs`;
  const parts = [
    ...(await partsOf({ [textFile]: '\0text' }, [allText], external)),
    // The entry comes last, when all that it may load is there.
    ...(await partsOf({ [basename(file)]: input }, [lateText(textFile)], external)),
  ];
  for (const { fileName, code } of parts) {
    const path = join(dirname(file), fileName);
    writeFileSync(`${path}.new`, ascii(code));
    renameSync(`${path}.new`, path);
  }
  keepCompiled(bundle);
}

async function partsOf(input, plugins, external) {
  const [[name]] = Object.entries(input);
  const chunk = `${basename(name, '.cjs')}-[name].cjs`;
  const checks = { emptyImportMeta: false }; // yargs asks for the configuration that another one extends: ours has none.
  const bundle = await rolldown({ input, plugins, external, checks, platform: 'node' });
  const names = { entryFileNames: '[name]', chunkFileNames: chunk };
  const { output } = await bundle.generate({ format: 'cjs', strict: true, ...names });
  await bundle.close();
  return output.toReversed();
}

const allText = {
  name: 'all-text',
  resolveId: (id) => (id === '\0text' ? id : null),
  load: (id) => (id === '\0text' ? text.map(exported).join('\n') : null),
};

const exported = (name, at) => `export { default as text${at} } from '${name}';`;

/** The same functions, from the other file when one of them is called. */
function lateText(textFile) {
  return {
    name: 'late-text',
    resolveId: (id) => (text.includes(id) ? `\0${id}` : null),
    load: (id) =>
      text.includes(id.slice(1))
        ? `import { createRequire } from 'node:module';
           const load = createRequire(import.meta.url);
           export default (...given) => load('./${textFile}').text${text.indexOf(id.slice(1))}(...given);`
        : null,
  };
}

/** One byte a character: V8 reads that in half the time. What is no ASCII stands in strings, patterns and comments alone. */
function ascii(code) {
  return code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A process of its own, since the program runs in it. @param loader bin/bundle.js of the program */
function keepCompiled(loader) {
  const script = fileURLToPath(new URL('keep-compiled.js', import.meta.url));
  execFileSync(process.execPath, [script, loader], { stdio: ['ignore', 'ignore', 'inherit'] });
}
