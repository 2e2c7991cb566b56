// The answer: seeking, the play head and the note at the pointer, subtitles, and words to switch on and off.
// Times in the page's data-* are seconds of the annotated video; only words tell the time of the whole clip.
() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const video = () => one('#annotated video');
  const hidden = new Set(); // words switched off in Why
  let here = 0;

  const say = (seconds) => {
    const tenths = Math.round(10 * seconds);
    if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`;
    return `${Math.floor(tenths / 600)}:${String(Math.floor(tenths / 10) % 60).padStart(2, '0')}`;
  };

  const seek = (seconds) => {
    const player = video();
    if (!player || !Number.isFinite(seconds)) return;
    const last = Number.isFinite(player.duration) ? Math.max(0, player.duration - 0.01) : seconds;
    player.currentTime = Math.min(Math.max(seconds, 0), last);
    follow(player.currentTime);
  };

  // Everything that tells where the video is: play head, tile, rows.
  function follow(seconds) {
    here = seconds;
    for (const chart of all('.chart[data-span]')) {
      const start = Number(chart.dataset.start);
      const share = Math.min(1, Math.max(0, seconds / Number(chart.dataset.span)));
      const head = one('.head', chart);
      head.style.left = `${100 * share}%`;
      head.setAttribute('aria-valuenow', (start + seconds).toFixed(2));
      head.setAttribute('aria-valuetext', say(start + seconds));
    }
    for (const part of all('#strip [data-from], #segments [data-from]')) {
      const now = seconds >= Number(part.dataset.from) && seconds < Number(part.dataset.to);
      part.classList.toggle('now', now);
    }
    const film = one('#strip .film');
    const tile = one('#strip li.now');
    if (film && tile && !film.matches(':hover, :focus-within')) {
      const wanted = tile.offsetLeft - (film.clientWidth - tile.offsetWidth) / 2;
      if (Math.abs(film.scrollLeft - wanted) > film.clientWidth / 3) film.scrollLeft = wanted;
    }
  }

  const ours = (event) => event.target.matches?.('#annotated video');
  for (const kind of ['timeupdate', 'seeked', 'loadedmetadata']) {
    document.addEventListener(kind, (event) => ours(event) && follow(event.target.currentTime), true);
  }
  // A new video shows the person at once, at the first key frame where they are.
  document.addEventListener('loadedmetadata', (event) => {
    if (!ours(event)) return;
    subtitle();
    const first = Number(one('[data-first]')?.dataset.first ?? 0);
    if (first > 0 && event.target.currentTime === 0) seek(first);
  }, true);
  document.addEventListener('play', (event) => {
    if (!ours(event)) return;
    const player = event.target;
    const step = () => {
      if (player.paused || !player.isConnected) return;
      follow(player.currentTime);
      requestAnimationFrame(step);
    };
    step();
  }, true);

  // Subtitles are a text track of our own: no file to keep, and another sentence needs no other video.
  function subtitle() {
    const player = video();
    const source = one('[data-cues]');
    if (!player) return;
    let track = [...player.textTracks].find((entry) => entry.label === 'Actions');
    track ??= player.addTextTrack('subtitles', 'Actions', 'en');
    const box = one('#subtitles-on');
    track.mode = 'hidden'; // cues of a disabled track are not there to be removed
    for (const cue of [...(track.cues ?? [])]) track.removeCue(cue);
    const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    for (const [from, to, text] of JSON.parse(source?.dataset.cues ?? '[]')) {
      track.addCue(new VTTCue(from, to - 0.002, escape(text))); // where two meet, Chromium would show both
    }
    track.mode = box && !box.checked ? 'disabled' : 'showing';
  }

  function words() {
    for (const button of all('#why [data-word][aria-pressed]')) {
      const off = hidden.has(button.textContent);
      button.setAttribute('aria-pressed', String(!off));
      for (const part of all(`#why svg [data-word="${button.dataset.word}"]`)) part.toggleAttribute('hidden', off);
    }
  }

  document.addEventListener('answer:changed', () => {
    subtitle();
    words();
    follow(video()?.currentTime ?? here);
  });
  document.addEventListener('change', (event) => event.target.id === 'subtitles-on' && subtitle());

  const shareAt = (panels, event) => {
    const area = one('.over', panels).getBoundingClientRect();
    return (event.clientX - area.left) / area.width;
  };
  document.addEventListener('click', (event) => {
    const word = event.target.closest('#why button[data-word]');
    if (word) {
      hidden[hidden.has(word.textContent) ? 'delete' : 'add'](word.textContent);
      words();
      return;
    }
    const person = event.target.closest('.people button');
    if (person) one('#status')?.scrollIntoView({ block: 'nearest' });
    const place = event.target.closest('[data-seek]');
    if (place) {
      seek(Number(place.dataset.seek));
      if (place.closest('#why')) one('#annotated')?.scrollIntoView({ block: 'nearest' });
      return;
    }
    const panels = event.target.closest('.chart .panels');
    if (!panels) return;
    const share = shareAt(panels, event);
    if (share >= 0 && share <= 1) seek(share * Number(panels.closest('.chart').dataset.span));
  });

  document.addEventListener('keydown', (event) => {
    const head = event.target.closest?.('.chart .head');
    if (!head) return;
    const chart = head.closest('.chart');
    const { times } = JSON.parse(chart.dataset.tips);
    const span = Number(chart.dataset.span);
    const goal = {
      ArrowRight: () => times.find((time) => time > here + 0.02) ?? span,
      ArrowLeft: () => times.findLast((time) => time < here - 0.02) ?? 0,
      Home: () => 0,
      End: () => span,
    };
    goal.ArrowUp = goal.ArrowRight;
    goal.ArrowDown = goal.ArrowLeft;
    if (!goal[event.key]) return;
    event.preventDefault();
    seek(goal[event.key]());
  });

  // The note at the pointer: what every line says at the nearest key frame.
  const closeTips = () => all('.chart .tip, .chart .guide').forEach((part) => { part.hidden = true; });
  document.addEventListener('pointermove', (event) => {
    const panels = event.target.closest?.('.chart .panels');
    if (!panels || event.pointerType === 'touch') return closeTips();
    const chart = panels.closest('.chart');
    const share = shareAt(panels, event);
    if (share < 0 || share > 1) return closeTips();
    const data = JSON.parse(chart.dataset.tips);
    const span = Number(chart.dataset.span);
    const off = data.times.map((time) => Math.abs(time - share * span));
    const k = off.indexOf(Math.min(...off));
    const tip = one('.tip', chart);
    const guide = one('.guide', chart);
    const line = (mark, colour, name, value) => {
      const row = document.createElement('p');
      const sign = document.createElement('i');
      sign.className = mark;
      sign.style.color = colour;
      const label = document.createElement('span');
      label.textContent = name;
      const score = document.createElement('b');
      score.textContent = value;
      row.append(sign, label, score);
      return row;
    };
    const per = (value) => `${Math.round(100 * value)} %`;
    const rows = data.rows.filter((row) => row.scores[k] !== null).sort((a, b) => b.scores[k] - a.scores[k]);
    tip.replaceChildren(
      line('', '', data.said[k], data.found[k] ? `presence ${per(data.presence[k])}` : `nobody, ${per(data.presence[k])}`),
      ...rows.map((row) => line(`mark m${row.mark}`, row.colour, row.name, per(row.scores[k]))),
    );
    tip.hidden = guide.hidden = false;
    guide.style.left = `${(100 * data.times[k]) / span}%`;
    const frame = chart.getBoundingClientRect();
    const x = event.clientX - frame.left;
    tip.style.left = `${x > frame.width / 2 ? x - tip.offsetWidth - 14 : x + 14}px`;
    tip.style.top = `${Math.min(event.clientY - frame.top + 14, frame.height - tip.offsetHeight - 4)}px`;
  });
  document.addEventListener('pointerleave', closeTips);
}
