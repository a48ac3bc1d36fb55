// The section "Explore": inputs to state, state to answers, answers to words, charts and tables; all text is
// put in as text.
const data = JSON.parse(document.getElementById("explore-data").textContent);
const engine = makeEngine(data, recorded);
const byId = (id) => document.getElementById(id);
const KEYS = { bits_weights: "w", bits_activations: "a", bits_kv: "kv", bits_gradients: "g" };
const FRAGMENT = "#explore?";

function start() {
  const method = data.methods.findIndex((one) => one.label === data.start.method);
  return {
    n: data.start.n, d: data.start.d, flops: data.start.flops, tolerance: data.start.tolerance, loss: data.start.loss,
    bits: Object.fromEntries(data.kinds.map((kind) => [kind.column, 16])),
    chip: 0, option: 0, post: data.start.post, method: Math.max(method, 0),
  };
}
let state = start();

// ---- the address

function fragment() {
  const said = { n: state.n, d: state.d };
  for (const kind of data.kinds) said[KEYS[kind.column]] = state.bits[kind.column];
  if (data.methods.length) Object.assign(said, { post: state.post ?? "none", method: data.methods[state.method].label });
  if (state.loss !== null) said.loss = state.loss;
  said.tolerance = state.tolerance;
  if (data.offers.length) Object.assign(said, { flops: state.flops, chip: engine.offer(state).name });
  if (data.reads_format) said.format = engine.offer(state).options[state.option].label;
  return FRAGMENT + new URLSearchParams(said);
}

function fromFragment(hash) {
  const found = start();
  if (!hash.startsWith(FRAGMENT)) return found;
  const said = new URLSearchParams(hash.slice(FRAGMENT.length));
  const positive = (name) => (Number(said.get(name)) > 0 && Number.isFinite(Number(said.get(name))) ? Number(said.get(name)) : null);
  for (const name of ["n", "d", "flops", "tolerance", "loss"]) found[name] = positive(name) ?? found[name];
  for (const kind of data.kinds) found.bits[kind.column] = Math.min(16, Math.max(1, positive(KEYS[kind.column]) ?? 16));
  const place = (list, name, label) => Math.max(0, list.findIndex((one) => one[label] === said.get(name)));
  if (said.has("chip")) found.chip = place(data.offers, "chip", "name");
  if (data.reads_format) found.option = place(engine.offer(found).options, "format", "label");
  if (said.has("method")) found.method = place(data.methods, "method", "label");
  if (said.has("post")) found.post = data.bits_post.includes(positive("post")) ? positive("post") : null;
  return found;
}

// ---- inputs

function parsed(text) {
  const match = /^\s*([0-9.]+(?:e[+-]?[0-9]+)?)\s*([kMBGT]?)\s*$/i.exec(text);
  if (!match) return NaN;
  const scale = { "": 1, k: 1e3, m: 1e6, b: 1e9, g: 1e9, t: 1e12 }[match[2].toLowerCase()];
  return Number(match[1]) * scale;
}

const shown = (name) => (name === "flops" ? significant(state[name], 4) : count(state[name]));

function select(id, labels, chosen) {
  const one = byId(id);
  if (!one) return;
  one.replaceChildren(...labels.map((label, index) => new Option(label, String(index))));
  one.selectedIndex = chosen;
}

function showInputs(except = null) {
  for (const input of document.querySelectorAll("[data-log]")) if (input !== except) { input.value = shown(input.dataset.log); input.removeAttribute("aria-invalid"); }
  for (const slider of document.querySelectorAll("[data-slider]")) {
    if (slider !== except) slider.value = Math.log10(state[slider.dataset.slider]);
    slider.setAttribute("aria-valuetext", `${shown(slider.dataset.slider)} ${slider.dataset.unit}`);
  }
  for (const slider of document.querySelectorAll("[data-bits]")) {
    const bits = state.bits[slider.dataset.bits];
    if (slider !== except) slider.value = bits;
    const text = significant(bits, 4);
    slider.setAttribute("aria-valuetext", `${text} bits`);
    document.querySelector(`[data-bits-shown="${slider.dataset.bits}"]`).textContent = text;
  }
  for (const name of ["tolerance", "loss"]) {
    const input = byId(`explore-${name}`);
    if (input && input !== except) { input.value = state[name] === null ? "" : String(state[name]); input.removeAttribute("aria-invalid"); }
  }
  const posts = [null, ...data.bits_post];
  select("explore-post", posts.map((bits) => (bits === null ? "not quantized" : bitsText(bits))), posts.indexOf(state.post));
  select("explore-method", data.methods.map((method) => method.label), state.method);
  select("explore-chip", data.offers.map((one) => (one.title ? `${one.name}: ${one.title}` : one.name)), state.chip);
  if (data.reads_format) select("explore-option", engine.offer(state).options.map((option) => option.label), state.option);
}

function listen() {
  const changed = (change, input) => {
    change();
    byId("explore-problem").textContent = "";
    schedule(input);
  };
  const typed = (input, name, optional) => input.addEventListener("input", () => {
    const value = parsed(input.value), empty = optional && !input.value.trim();
    if (!empty && !(value > 0 && Number.isFinite(value))) {
      input.setAttribute("aria-invalid", "true");
      byId("explore-problem").textContent = `“${input.value}” is no positive number; valid: for example 7e9 or 7B.`;
      return;
    }
    input.removeAttribute("aria-invalid");
    changed(() => { state[name] = empty ? null : value; }, input);
  });
  for (const input of document.querySelectorAll("[data-log]")) typed(input, input.dataset.log, false);
  for (const name of ["tolerance", "loss"]) if (byId(`explore-${name}`)) typed(byId(`explore-${name}`), name, name === "loss" && data.has_base);
  for (const slider of document.querySelectorAll("[data-slider]")) slider.addEventListener("input", () => changed(() => { state[slider.dataset.slider] = 10 ** Number(slider.value); }, slider));
  for (const slider of document.querySelectorAll("[data-bits]")) slider.addEventListener("input", () => changed(() => { state.bits[slider.dataset.bits] = Number(slider.value); }, slider));
  const choose = (id, set) => byId(id) && byId(id).addEventListener("change", (event) => changed(() => set(event.target.selectedIndex), null));
  choose("explore-post", (index) => { state.post = [null, ...data.bits_post][index]; });
  choose("explore-method", (index) => { state.method = index; });
  choose("explore-option", (index) => { state.option = index; });
  choose("explore-chip", (index) => {
    const label = data.reads_format ? engine.offer(state).options[state.option].label : "";
    state.chip = index;
    state.option = Math.max(0, engine.offer(state).options.findIndex((option) => option.label === label));
  });
  byId("explore-reset").addEventListener("click", () => changed(() => { state = start(); }, null));
  byId("explore-form").addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", () => {
    if (location.hash.startsWith(FRAGMENT)) { state = fromFragment(location.hash); redraw(null); }
  });
}

let waiting = false;
function schedule(input) {
  history.replaceState(null, "", fragment());
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; redraw(input); });
}

// ---- words

const UNIT = "nats/token";
const intervalName = `${significant(100 * data.prob, 3)} % ETI`;

function range(one, unit = "") {
  const places = decimals(one.lo, one.hi), small = Math.abs(one.median) < 10 ** -places && one.median !== 0;
  const text = (value) => (small ? significant(value, 2) : fixed(value, places));
  return `${text(one.median)} (${unit ? `${intervalName} ` : ""}${text(one.lo)} to ${text(one.hi)})${unit && ` ${unit}`}`;
}

function node(tag, attributes, ...children) {
  const one = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  one.append(...children);
  return one;
}

// "16 bits", or which tensor kinds are trained in which bits.
function kindsText() {
  const groups = new Map();
  for (const kind of data.kinds) groups.set(state.bits[kind.column], [...(groups.get(state.bits[kind.column]) || []), kind]);
  const parts = [...groups].map(([bits, kinds]) => [bitsText(bits), kinds.map((kind) => kind.label).join(" and ")]);
  return parts.length === 1 ? parts[0][0] : parts.map(([bits, names]) => `${bits} (${names})`).join(", ");
}

const mostOften = (options) => options.reduce((best, one) => (one.best > best.best ? one : best));

function atThisSize(options) {
  const best = options.find((one) => one.recommended), often = mostOften(options.some((one) => one.supported) ? options.filter((one) => one.supported) : options);
  const within = `within ${significant(state.tolerance, 3)} ${UNIT} of 16 bits`;
  if (!options.some((one) => one.supported)) return "Nothing measured supports an answer at this size.";
  const chosen = best ? `${best.label} is the cheapest that stays ${within} with at least ${probability(data.confidence)} probability (${probability(best.within)})`
    : `nothing on offer stays ${within} with at least ${probability(data.confidence)} probability`;
  return `At this size ${chosen}; most often the cheapest within it is ${often.label}, with probability ${probability(often.best)}.`;
}

function forTheBudget(options) {
  const best = options.find((one) => one.recommended), budget = `For ${significant(state.flops, 3)} FLOP, N and D chosen anew,`;
  if (!best) return `${budget} nothing measured supports an answer.`;
  return `${budget} ${best.label} has the lowest expected loss; it is the best with probability ${probability(best.best)}.`;
}

function words(run, options, budget) {
  const said = [];
  const trainedIn = data.reads_format ? engine.offer(state).options[state.option].label : kindsText();
  const who = `${count(state.n)} parameters on ${count(state.d)} tokens${trainedIn ? ` in ${trainedIn}` : ""}`;
  const method = data.methods.length ? data.methods[state.method].label : "";
  const after = run.bits_post === null ? "" : `, quantized to ${bitsText(run.bits_post)}${method ? ` by ${method}` : ""}`;
  if (data.has_base || state.loss !== null) said.push(["Loss", `${who}${after}: the law's mean is ${range(run.loss, UNIT)}, a new run ${range(run.new_run, UNIT)}.`]);
  if (run.bits_post !== null) {
    said.push(["After training", `Quantizing to ${bitsText(run.bits_post)} adds ${range(run.degradation, UNIT)} to the law's mean and ${range(run.new_degradation, UNIT)} to a new run, which stays within the tolerance of ${significant(state.tolerance, 3)} with probability ${probability(run.within)}.`]);
  } else if (data.methods.length && state.post !== null) {
    said.push(["After training", `${bitsText(state.post)} are not below the training bits of the weights: quantizing changes nothing.`]);
  }
  if (options.length) {
    said.push(["Training", `${atThisSize(options)} ${forTheBudget(budget)}`]);
  }
  const reasons = run.risk.reasons.length ? run.risk.reasons : ["It lies inside what was fitted."];
  byId("explore-words").replaceChildren(
    ...said.map(([head, text]) => node("p", {}, node("b", {}, `${head}. `), text)),
    node("p", {}, node("b", {}, `Risk by distance: ${run.risk.grade}.`)),
    node("ul", {}, ...reasons.map((text) => node("li", {}, text))),
  );
}

// ---- tables

function table(caption, head, rows, marked = -1) {
  const cell = (tag, text, scope) => node(tag, scope ? { scope } : {}, node("bdi", {}, text));
  return node("div", { class: "scroll", role: "region", "aria-label": caption, tabindex: "0" },
    node("table", { class: "numbers" },
      node("caption", {}, node("span", {}, caption)),
      node("thead", {}, node("tr", {}, ...head.map((name) => cell("th", name, "col")))),
      node("tbody", {}, ...rows.map((row, place) => node("tr", place === marked ? { class: "marked" } : {}, ...row.map((text, index) => (index ? cell("td", text) : cell("th", text, "row"))))))));
}

function tables(run, options, budget, after) {
  const found = [];
  if (data.has_base || state.loss !== null || run.bits_post !== null) {
    const rows = [["as trained, the law's mean", range(run.trained)], ["after training, the law's mean", range(run.loss)], ["a new run", range(run.new_run)]];
    if (run.bits_post !== null) rows.push(["degradation, the law's mean", range(run.degradation)], ["degradation of a new run", range(run.new_degradation)]);
    found.push(table(`This run, ${UNIT}: median (${intervalName})`, ["", "loss"], run.bits_post === null ? rows.filter((_, index) => index !== 1) : rows));
  }
  if (options.length) {
    const price = engine.offer(state).name, unit = `median (${intervalName}); losses and regret in ${UNIT}`;
    found.push(table(
      `Which precision to train in at this N and D, ${price}: ${unit}`,
      ["option", "cost of a FLOP", "loss", "within tolerance", "cheapest within", "expected regret", "risk by distance"],
      options.map((one) => [one.label, significant(one.cost, 3), range(one.loss), probability(one.within), probability(one.best), significant(one.regret, 2), one.grade]),
      options.findIndex((one) => one.recommended)));
    found.push(table(
      `Which precision to train in for the budget, N and D chosen in every draw, ${price}: ${unit}`,
      ["option", "cost of a FLOP", "loss", "N", "D", "best", "expected regret", "risk by distance"],
      budget.map((one) => [one.label, significant(one.cost, 3), range(one.loss), count(one.n.median), count(one.d.median), probability(one.best), significant(one.regret, 2), one.grade]),
      budget.findIndex((one) => one.recommended)));
  }
  if (after.length) {
    found.push(table(
      `Quantized after training${data.methods[state.method].label ? ` by ${data.methods[state.method].label}` : ""}, ${UNIT}: median (${intervalName})`,
      ["bits", "degradation, the law's mean", "of a new run", `at most ${significant(state.tolerance, 3)}`, "risk by distance"],
      after.map((one) => [bitsText(one.bits), range(one.degradation), range(one.new_degradation), probability(one.within), one.grade])));
  }
  byId("explore-tables").replaceChildren(...found);
}

// ---- charts: rows of options, columns of intervals and probabilities

const SVG = "http://www.w3.org/2000/svg";
const ROW = 24, TOP = 44, NAME = 110, WIDTH = 900, GAP = 26;

function shape(tag, attributes, text) {
  const one = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  if (text !== undefined) one.textContent = text;
  return one;
}

function scaleOf(panel) {
  const logs = panel.log ? (value) => Math.log10(Math.max(value, panel.log)) : (value) => value;
  const known = panel.values.filter((one) => Number.isFinite(one.median));
  if (!known.length) return { at: () => 0, lo: 0, hi: 1, logs };
  const best = Math.min(...known.map((one) => one.median));
  const near = panel.log ? known : known.filter((one) => one.median <= best * 1.06);
  let [lo, hi] = [Math.min(...near.map((one) => logs(one.lo))), Math.max(...near.map((one) => logs(one.hi)))];
  if (!(hi > lo)) [lo, hi] = [lo - 0.5, lo + 0.5];
  const pad = 0.04 * (hi - lo);
  return { at: (value) => Math.min(1, Math.max(0, (logs(value) - lo + pad) / (hi - lo + 2 * pad))), lo, hi, logs };
}

function chart(title, names, panels) {
  const width = (WIDTH - NAME - GAP * panels.length) / panels.length, height = TOP + ROW * names.length + 24;
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": title });
  names.forEach((name, row) => svg.append(shape("text", { x: 0, y: TOP + ROW * row + 16 }, name.length > 16 ? `${name.slice(0, 15)}…` : name)));
  panels.forEach((panel, index) => {
    const left = NAME + index * (width + GAP);
    svg.append(shape("text", { x: left, y: 14, class: "head" }, panel.head), shape("text", { x: left, y: 30, class: "quiet" }, panel.unit));
    const scale = panel.shares ? null : scaleOf(panel);
    panel.values.forEach((value, row) => {
      const y = TOP + ROW * row + 12;
      if (panel.shares) {
        svg.append(shape("rect", { x: left, y: y - 7, width: width - 52, height: 14, class: "track" }));
        svg.append(shape("rect", { x: left, y: y - 7, width: Math.max(0, (width - 52) * value), height: 14, class: "bar" }));
        svg.append(shape("text", { x: left + width - 46, y: y + 4 }, probability(value)));
        return;
      }
      svg.append(shape("line", { x1: left, x2: left + width, y1: y, y2: y, class: "line" }));
      if (!Number.isFinite(value.median)) return;
      const [from, to, mid] = [value.lo, value.hi, value.median].map((one) => left + width * scale.at(one));
      if (from >= left + width) { svg.append(shape("text", { x: left + width - 4, y: y - 3, "text-anchor": "end", class: "quiet" }, `${fixed(value.median, 2)} →`)); return; }
      svg.append(shape("line", { x1: from, x2: Math.max(to, from + 1), y1: y, y2: y, class: "range" }));
      if (scale.at(value.median) < 1) svg.append(shape("circle", { cx: mid, cy: y, r: 4.5, class: "dot" }));
    });
    if (scale) {
      const ends = [scale.lo, scale.hi].map((end) => (panel.log ? significant(10 ** end, 2) : fixed(end, decimals(scale.lo, scale.hi))));
      const y = TOP + ROW * names.length + 16;
      svg.append(shape("text", { x: left, y, class: "quiet" }, ends[0]), shape("text", { x: left + width, y, "text-anchor": "end", class: "quiet" }, ends[1]));
    }
  });
  return svg;
}

function charts(options, budget, after) {
  const found = [], losses = `${UNIT}, ${intervalName}`;
  if (options.length) {
    found.push(chart(
      `Training precision: at this size ${mostOften(options).label} is most often the cheapest within tolerance (${probability(mostOften(options).best)}); for the budget ${mostOften(budget).label} is most often the best (${probability(mostOften(budget).best)}).`,
      options.map((one) => one.label),
      [
        { head: "Loss at this N and D", unit: losses, values: options.map((one) => one.loss) },
        { head: "Cheapest within tolerance", unit: "probability", shares: true, values: options.map((one) => one.best) },
        { head: "Loss for the budget", unit: losses, values: budget.map((one) => one.loss) },
        { head: "Best for the budget", unit: "probability", shares: true, values: budget.map((one) => one.best) },
      ]));
  }
  if (after.length) {
    found.push(chart(
      `After training: ${after.map((one) => `${bitsText(one.bits)} within tolerance with probability ${probability(one.within)}`).join(", ")}.`,
      after.map((one) => bitsText(one.bits)),
      [
        { head: "Degradation after training, the law's mean", unit: `${losses}, logarithmic`, values: after.map((one) => one.degradation), log: 1e-7 },
        { head: `At most ${significant(state.tolerance, 3)} ${UNIT} for a new run`, unit: "probability", shares: true, values: after.map((one) => one.within) },
      ]));
  }
  byId("explore-charts").replaceChildren(...found);
}

// ---- all of it

const withoutDraws = (name, value) => (name === "draws" || (typeof value === "number" && !Number.isFinite(value)) ? undefined : value);

function redraw(input) {
  const began = performance.now();
  const run = engine.run(state), after = engine.afterwards(state);
  const [options, budget] = data.offers.length ? [engine.fixedSizes(state), engine.forBudget(state)] : [[], []];
  words(run, options, budget);
  tables(run, options, budget, after);
  charts(options, budget, after);
  showInputs(input);
  byId("explore-link").href = fragment();
  Object.assign(byId("explorer").dataset, {
    numbers: JSON.stringify({ state, run, options, budget, after }, withoutDraws),
    milliseconds: (performance.now() - began).toFixed(1),
  });
}

listen();
state = fromFragment(location.hash);
byId("explore-form").hidden = byId("explore-answers").hidden = false;
redraw(null);
if (location.hash.startsWith(FRAGMENT)) byId("explore").scrollIntoView();
