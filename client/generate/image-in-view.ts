import { TabInputCustom, type Uri, window } from 'vscode';

/** The image in the active tab; undefined when it shows something else. */
export function imageInView(): Uri | undefined {
  const input = window.tabGroups.activeTabGroup.activeTab?.input;
  const isImage = input instanceof TabInputCustom && /\.(?:png|jpe?g|webp)$/i.test(input.uri.path);
  return isImage && input.uri.scheme === 'file' ? input.uri : undefined;
}
