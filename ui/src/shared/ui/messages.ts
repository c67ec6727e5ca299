/** Words of the controls. */
export const words = {
  close: 'Close',
  copyCommand: 'Copy command',
  copyText: 'Copy this',
  copyAddress: (address: string) => `Copy the address ${address}`,
  copied: 'Copied',
  notCopied: 'Not copied',
  copyHow: 'There is no clipboard here: mark the text, and copy it with the keyboard',
}
