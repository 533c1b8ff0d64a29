/** What `berth completion SHELL` prints. Both ask `berth __complete` (complete.ts) and know nothing of its commands. */
export const completionScripts = {
  bash: `# bash completion of berth; in ~/.bashrc: eval "$(berth completion bash)"
_berth() {
  local word
  COMPREPLY=()
  while IFS= read -r word; do
    if [[ $word == :files ]]; then
      compopt -o default 2>/dev/null
    else
      COMPREPLY+=("$word")
    fi
  done < <(berth __complete bash "$COMP_WORDBREAKS" "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
}
complete -F _berth berth
`,
  zsh: `#compdef berth
# zsh completion of berth; in ~/.zshrc, behind compinit: eval "$(berth completion zsh)"
_berth() {
  local -a lines
  lines=("\${(@f)$(berth __complete zsh "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $lines[1] == :files ]]; then
    _files
  elif [[ -n $lines[1] ]]; then
    _describe -t berth berth lines
  fi
}
if [[ $funcstack[1] == _berth ]]; then
  _berth "$@"
else
  compdef _berth berth
fi
`,
} as const;
