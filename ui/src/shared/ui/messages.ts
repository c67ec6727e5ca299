/** Words of the controls. */
export const words = {
  copied: 'Copied',
  notCopied: 'Not copied',
  copyHow: 'The clipboard is not to be had: mark the text, and copy it with the keyboard',
}
