// The only script of the dashboard: it replaces the content of live pages, and shows live changes. Every page works without it.
(() => {
  'use strict';

  const main = document.getElementById('main');
  const status = document.getElementById('live-status');
  const controls = document.getElementById('live-controls');
  const timeout = 10_000;
  let problem = '';

  // Announces a state once, and not again with each attempt.
  function show(text) {
    if (text === problem) return;
    problem = text;
    status.textContent = text;
    document.documentElement.classList.toggle('has-problem', text !== '');
  }

  function pauseButton(onChange) {
    const button = document.createElement('button');
    button.type = 'button';
    button.id = 'pause';
    button.className = 'pause';
    let isPaused = false;
    const label = () => {
      button.textContent = isPaused ? 'Resume' : 'Pause';
      button.setAttribute('aria-label', isPaused ? 'Resume updates' : 'Pause updates');
      button.classList.toggle('is-paused', isPaused);
    };
    button.addEventListener('click', () => {
      isPaused = !isPaused;
      label();
      onChange(isPaused);
    });
    label();
    controls.append(button);
  }

  // Keeps what a person does on the page: open details, scrolled tables and the focus.
  function replace(html) {
    const template = document.createElement('template');
    template.innerHTML = html;
    const open = [...main.querySelectorAll('details[open][id]')].map(element => element.id);
    const scrolled = [...main.querySelectorAll('.scroll[id]')].map(element => [element.id, element.scrollLeft, element.scrollTop]);
    const focused = main.contains(document.activeElement) && document.activeElement !== main ? pathOf(document.activeElement) : null;
    main.replaceChildren(template.content);
    for (const id of open) {
      const element = document.getElementById(id);
      if (element) element.open = true;
    }
    for (const [id, left, top] of scrolled) {
      const element = document.getElementById(id);
      if (element) { element.scrollLeft = left; element.scrollTop = top; }
    }
    if (focused) find(focused)?.focus({ preventScroll: true });
  }

  function pathOf(element) {
    const path = [];
    for (; element !== main; element = element.parentElement) {
      if (element.id) { path.push('#' + element.id); break; }
      path.push([...element.parentElement.children].indexOf(element));
    }
    return path.reverse();
  }

  function find(path) {
    let element = main;
    for (const step of path) {
      element = typeof step === 'string' ? document.getElementById(step.slice(1)) : element?.children[step];
    }
    return element;
  }

  function isSelecting() {
    const selection = document.getSelection();
    return selection && !selection.isCollapsed && main.contains(selection.anchorNode);
  }

  function keepUpdated(interval) {
    let isPaused = false, timer = 0, running = null;

    async function update() {
      running = new AbortController();
      const limit = setTimeout(() => running.abort(), timeout);
      try {
        const response = await fetch(location.href, { headers: { 'Datacake-Fragment': '1' }, signal: running.signal, cache: 'no-store' });
        if (response.redirected || response.status === 401 || response.status === 403) {
          show('You are no longer signed in, or no longer allowed to see this page. Reload it to sign in.');
        } else if (response.ok || response.status === 503) {
          const html = await response.text();
          // A page of a proxy is no fragment.
          if (response.headers.get('Vary')?.includes('Datacake-Fragment')) {
            if (!isPaused && !document.hidden && !isSelecting()) replace(html);
            show('');
          } else {
            show('The server cannot be reached. The page shows the last known state and is updated when the server answers.');
          }
        } else {
          show(`The server answers with the error ${response.status}. The page shows the last known state.`);
        }
      } catch {
        if (!document.hidden && !isPaused) show('The server cannot be reached. The page shows the last known state and is updated when the server answers.');
      } finally {
        clearTimeout(limit);
        running = null;
        schedule();
      }
    }

    function schedule() {
      clearTimeout(timer);
      if (!isPaused && !document.hidden) timer = setTimeout(update, interval);
    }

    document.addEventListener('visibilitychange', () => {
      if (document.hidden) clearTimeout(timer);
      else if (!running) { clearTimeout(timer); if (!isPaused) update(); }
    });
    pauseButton(paused => {
      isPaused = paused;
      if (!running) schedule();
    });
    schedule();
  }

  function keepTail(list) {
    const maxRows = 200;
    const empty = document.getElementById('tail-empty');
    const counter = document.getElementById('tail-count');
    empty.textContent = 'Waiting for changes. They appear here as they are committed on this node, whichever node writes them.';
    let isPaused = false, total = 0, waiting = [], source = null, silence = 0;

    function row(change) {
      const item = document.createElement('li');
      item.className = change.kind;
      const kind = document.createElement('span');
      kind.className = 'badge ' + ({ added: 'ok', changed: 'info', deleted: 'bad' }[change.kind] ?? 'warn');
      kind.textContent = change.kind;
      item.append(kind);
      if (change.link) {
        const link = document.createElement('a');
        link.className = 'key';
        link.href = change.link;
        link.textContent = `${change.keyspace} ${change.key}`;
        item.append(link);
      }
      const about = document.createElement('span');
      about.className = 'about';
      about.textContent = [change.time && `${change.time} UTC`, change.node && `by node ${change.node}`].filter(Boolean).join(' ');
      item.append(about);
      if (change.text) {
        const text = document.createElement('code');
        text.textContent = change.text;
        item.append(text);
      }
      return item;
    }

    function draw() {
      if (isPaused || waiting.length === 0) return;
      empty.hidden = true;
      list.prepend(...waiting.reverse().map(row));
      waiting = [];
      while (list.children.length > maxRows) list.lastElementChild.remove();
      counter.textContent = `${total} since the page opened`;
    }

    function heard() {
      clearTimeout(silence);
      silence = setTimeout(lost, 3 * timeout / 2);
      show('');
    }

    function lost() {
      show('The server cannot be reached. Changes appear again when it answers, without those in between.');
    }

    function open() {
      if (source) return;
      source = new EventSource(list.dataset.stream);
      source.addEventListener('ready', () => { list.dataset.state = 'open'; heard(); });
      source.addEventListener('alive', heard);
      source.addEventListener('message', event => {
        heard();
        total++;
        waiting.push(JSON.parse(event.data));
        if (waiting.length > maxRows) waiting.shift();
      });
      source.addEventListener('error', () => {
        lost();
        // The browser gives up after an answer that is no stream, such as a refusal.
        if (source?.readyState === EventSource.CLOSED) {
          close();
          setTimeout(() => { if (!document.hidden) open(); }, timeout / 2);
        }
      });
    }

    function close() {
      clearTimeout(silence);
      source?.close();
      source = null;
      delete list.dataset.state;
    }

    document.addEventListener('visibilitychange', () => document.hidden ? close() : open());
    addEventListener('pagehide', close);
    pauseButton(paused => {
      isPaused = paused;
      draw();
    });
    setInterval(draw, 250);
    open();
  }

  const interval = Number(main.dataset.refresh);
  if (interval > 0) keepUpdated(interval);
  const list = document.getElementById('tail');
  if (list) keepTail(list);
})();
