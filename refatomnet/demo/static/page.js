// Enter runs, Shift+Enter starts a new line (the textbox alone does the opposite); chips fill the box; Run waits for a
// sample on its way; on a phone it shows the answer; what Gradio would say in a red box is a sentence on the page.
() => {
  const box = () => document.querySelector('#sentences textarea');
  document.addEventListener('keydown', (event) => {
    const field = box();
    if (event.key !== 'Enter' || event.isComposing || !field || event.target !== field) return;
    event.stopImmediatePropagation();
    event.preventDefault();
    if (event.shiftKey) {
      document.execCommand('insertText', false, '\n');
      return;
    }
    const run = document.querySelector('#run');
    if (run && !run.disabled) run.click();
  }, true);

  document.addEventListener('click', (event) => {
    const chip = event.target.closest('[data-say]');
    const field = box();
    if (chip && field) {
      field.value = chip.dataset.say;
      field.dispatchEvent(new Event('input', { bubbles: true }));
      field.focus();
    }
    const sample = event.target.closest('[data-sample]');
    if (sample) {
      for (const other of document.querySelectorAll('[data-sample]')) other.ariaPressed = String(other === sample);
    }
    if (event.target.closest('#run') && window.innerWidth < 700) {
      document.querySelector('#answer')?.scrollIntoView({ block: 'start' });
    }
  });

  const notice = document.querySelector('#notice');
  const said = new Set();
  new MutationObserver(() => {
    for (const toast of document.querySelectorAll('.toast-body')) {
      if (said.has(toast)) continue;
      said.add(toast);
      const text = toast.querySelector('.toast-text')?.textContent.trim() || toast.textContent.trim();
      const close = toast.querySelector('.toast-close');
      if (notice) {
        notice.textContent = text;
        notice.hidden = false;
      }
      close?.click();
    }
  }).observe(document.body, { childList: true, subtree: true });
  for (const kind of ['click', 'keydown']) {
    document.addEventListener(kind, (event) => {
      if (event.isTrusted && notice) notice.hidden = true;
    }, true);
  }

  // Gradio reads what is asked at the press on Run. While a sample is on its way, presses wait, and follow in order.
  let coming = false;
  const waiting = [];
  document.addEventListener('sample:coming', () => { coming = true; });
  document.addEventListener('sample:here', () => {
    coming = false;
    while (waiting.length && !coming) waiting.shift().click();
  });
  document.addEventListener('click', (event) => {
    const pressed = event.target.closest('#run, [data-sample]');
    if (!coming || !pressed) return;
    event.stopImmediatePropagation();
    event.preventDefault();
    if (waiting.at(-1) !== pressed) waiting.push(pressed);
  }, true);
}
