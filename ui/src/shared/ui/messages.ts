/** Words of the controls. */
export const words = {
  close: 'Close',
  copyCommand: 'Copy command',
  copied: 'Copied',
  notCopied: 'Not copied',
  copyHow: 'There is no clipboard here: mark the text, and copy it with the keyboard',
}
