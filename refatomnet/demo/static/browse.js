// Runs once for the grid of described people: asks for the pictures that are missing, and tells which one is picked.
let picked = null;
const mark = () => element.querySelectorAll('button[data-record]').forEach((card) => {
  const state = String(card.dataset.record === picked);
  if (card.getAttribute('aria-pressed') !== state) card.setAttribute('aria-pressed', state);
});
const fetchPictures = async () => {
  mark();
  const waiting = [...element.querySelectorAll('img[data-record]:not([data-asked])')];
  waiting.forEach((image) => { image.dataset.asked = ''; });
  for (let first = 0; first < waiting.length; first += 4) {
    const images = waiting.slice(first, first + 4).filter((image) => image.isConnected);
    if (!images.length) continue;
    const pictures = await server.pictures(images.map((image) => Number(image.dataset.record)));
    images.forEach((image, i) => {
      if (pictures[i]) image.src = pictures[i];
      else image.parentElement.classList.add('missing');
    });
  }
};
new MutationObserver(fetchPictures).observe(element, { childList: true, subtree: true });
fetchPictures();
element.addEventListener('click', (event) => {
  const card = event.target.closest('button[data-record]');
  if (!card) return;
  picked = card.dataset.record;
  mark();
  trigger('pick', { record: Number(card.dataset.record) });
});
