/** Made when it is first asked for: what Intl loads of the languages of the world is a tenth of what a start costs. */
export function late<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
