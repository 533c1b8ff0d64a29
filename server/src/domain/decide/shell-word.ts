/** An address as a shell takes it, whole: what is shown as a command is pasted, and before its @ may be `$`, `|`, `&` or a quote (RFC 5322). */
export function shellWord(email: string): string {
  return /^[\w.@+-]+$/.test(email) ? email : `'${email.replaceAll("'", "'\\''")}'`;
}
