// Answers from the embedded draws. The formulas are in `recorded`, made from the law's Python; here is what
// is done with their numbers: quantiles, the search for the best split, who wins a draw, and grades of distance.
function makeEngine(data, recorded) {
  const samples = data.samples;
  const bytes = Uint8Array.from(atob(data.draws), (letter) => letter.charCodeAt(0));
  const numbers = new Float64Array(bytes.buffer);
  const column = (place) => numbers.subarray(place * samples, (place + 1) * samples);
  const shared = data.names.map((_, place) => column(place));
  const limits = data.edges.limits;
  const ROUNDING = 1e-9;

  function draws(...owns) {
    const values = shared.slice();
    for (const own of owns) for (const [name, place] of Object.entries(own)) values[name] = column(place);
    return values;
  }

  function quantile(sorted, tail) {
    const at = tail * (sorted.length - 1), below = Math.floor(at);
    if (below + 1 >= sorted.length) return sorted[sorted.length - 1];
    return sorted[below] + (at - below) * (sorted[below + 1] - sorted[below]);
  }

  function halfEven(x) {
    const below = Math.floor(x), rest = x - below;
    return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
  }

  function interval(values) {
    const sorted = values.filter((value) => !Number.isNaN(value)).sort();
    const tails = [0.5, 0.5 - data.prob / 2, 0.5 + data.prob / 2];
    if (!sorted.length) return { median: NaN, lo: NaN, hi: NaN };
    const finite = Number.isFinite(sorted[0]) && Number.isFinite(sorted[sorted.length - 1]);
    const [median, lo, hi] = tails.map((tail) =>
      finite ? quantile(sorted, tail) : sorted[halfEven(tail * (sorted.length - 1))]);
    return { median, lo, hi };
  }

  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const share = (values, is) => values.reduce((sum, value) => sum + (is(value) ? 1 : 0), 0) / values.length;
  const finite = (values) => values.filter((value) => Number.isFinite(value));

  // Columns of the run that the inputs describe.
  function columns(state) {
    const option = data.reads_format ? offer(state).options[state.option] : undefined;
    const found = { ...data.columns, bits_post: NaN, loss_trained: NaN, ...(option ? option.columns : {}), ...state.bits };
    const forward = ["bits_weights", "bits_activations", "bits_kv"].some((name) => found[name] < 16);
    found.is_quantized = (option ? option.columns.is_quantized : false) || forward;
    found.is_quantized_backward = (option ? option.columns.is_quantized_backward : false) || found.bits_gradients < 16;
    found.bits_post = NaN;
    found.loss_trained = state.loss > 0 ? state.loss : NaN;
    return found;
  }

  function afterTraining(state, c, bits) {
    const method = data.methods[state.method];
    return { ...c, ...method.columns, after: true, bits_post: bits };
  }

  const offer = (state) => data.offers[state.chip] || data.offers[0];
  const runOwn = (state) => (data.reads_format ? offer(state).options[state.option].own : {});

  function drawn(state, c, bits) {
    const after = bits !== null;
    const at = after ? afterTraining(state, c, bits) : { ...c, after: false };
    const p = draws(runOwn(state), after ? data.methods[state.method].own : {});
    const away = recorded.beyond(at)(state.n, state.d);
    const [trained, gap, newTrained, newGap] = Array.from({ length: 4 }, () => new Float64Array(samples));
    for (let s = 0; s < samples; s += 1) {
      [trained[s], gap[s], newTrained[s], newGap[s]] = recorded.point(p, s, at)(state.n, state.d, away);
    }
    return { trained, gap, newTrained, newGap, away, columns: at };
  }

  // One run: the law's mean and a new run, as trained and quantized after training.
  function run(state) {
    const c = columns(state);
    const bits = data.methods.length && state.post !== null && state.post < c.bits_weights ? state.post : null;
    const found = drawn(state, c, bits);
    const { trained, gap, newTrained, newGap } = found;
    return {
      bits_post: bits,
      loss: interval(trained.map((loss, s) => loss + gap[s])),
      trained: interval(trained),
      new_run: interval(newTrained.map((loss, s) => loss + newGap[s])),
      degradation: bits === null ? null : interval(gap),
      new_degradation: bits === null ? null : interval(newGap),
      within: bits === null ? null : share(newGap, (value) => value <= state.tolerance),
      risk: risk(state.n, state.d, found.columns),
      draws: found,
    };
  }

  // Every bit-width after training.
  function afterwards(state) {
    const c = columns(state);
    const method = data.methods[state.method];
    if (!method) return [];
    return data.bits_post.filter((bits) => bits < c.bits_weights && bits >= method.fewest).map((bits) => {
      const found = drawn(state, c, bits);
      return {
        bits,
        degradation: interval(found.gap),
        new_degradation: interval(found.newGap),
        within: share(found.newGap, (value) => value <= state.tolerance),
        grade: risk(state.n, state.d, found.columns).grade,
        draws: found,
      };
    });
  }

  // ---- which precision to train in

  function optionColumns(option) {
    return { ...data.columns, ...option.columns, bits_post: NaN, after: false, loss_trained: NaN };
  }

  function atSizes(option, n, d) {
    const c = optionColumns(option), p = draws(option.own), away = recorded.beyond(c)(n, d);
    return Float64Array.from({ length: samples }, (_, s) => recorded.trained(p, s, c)(n, d, away));
  }

  function fixedSizes(state) {
    const { options } = offer(state);
    const whole = atSizes({ columns: {}, own: {} }, state.n, state.d);
    const loss = options.map((option) => atSizes(option, state.n, state.d));
    const within = loss.map((own) => own.map((value, s) => (difference(value, whole[s]) <= state.tolerance ? 1 : 0)));
    const sizes = options.map(() => [state.n, state.d]);
    const found = decided(options, loss, within, sizes).map((one, index) => ({ ...one, within: mean(within[index]) }));
    const fit = found.filter((one) => one.supported && one.within >= data.confidence);
    return recommended(found, fit, (one, other) => one.cost - other.cost || one.regret - other.regret);
  }

  const difference = (value, other) => (Number.isFinite(value) || Number.isFinite(other) ? value - other : 0);

  // Minimum of a function with one, by brackets that grow and Brent's method; `x` is where to start from.
  function minimise(f, x) {
    let step = 0.4, a = x - step, b = x, c = x + step, fa = f(a), fb = f(b), fc = f(c);
    for (let moves = 0; moves < 60 && (fa < fb || fc < fb); moves += 1) {
      step *= 1.8;
      if (fa < fc) { c = b; fc = fb; b = a; fb = fa; a = b - step; fa = f(a); }
      else { a = b; fa = fb; b = c; fb = fc; c = b + step; fc = f(c); }
    }
    const GOLDEN = 0.3819660112501051, TOLERANCE = 1e-4;
    let best = b, second = b, third = b, fBest = fb, fSecond = fb, fThird = fb, move = 0, last = 0;
    for (let tries = 0; tries < 60; tries += 1) {
      const middle = (a + c) / 2;
      if (Math.abs(best - middle) <= 2 * TOLERANCE - (c - a) / 2) break;
      let parabolic = false;
      if (Math.abs(last) > TOLERANCE) {
        const r = (best - second) * (fBest - fThird);
        let q = (best - third) * (fBest - fSecond);
        let p = (best - third) * q - (best - second) * r;
        q = 2 * (q - r);
        if (q > 0) p = -p; else q = -q;
        if (Math.abs(p) < Math.abs(q * last / 2) && p > q * (a - best) && p < q * (c - best)) {
          last = move; move = p / q; parabolic = true;
        }
      }
      if (!parabolic) { last = best < middle ? c - best : a - best; move = GOLDEN * last; }
      const at = best + (Math.abs(move) >= TOLERANCE ? move : Math.sign(move || 1) * TOLERANCE);
      const value = f(at);
      if (value <= fBest) {
        if (at < best) c = best; else a = best;
        third = second; fThird = fSecond; second = best; fSecond = fBest; best = at; fBest = value;
      } else {
        if (at < best) a = at; else c = at;
        if (value <= fSecond || second === best) { third = second; fThird = fSecond; second = at; fSecond = value; }
        else if (value <= fThird || third === best || third === second) { third = at; fThird = value; }
      }
    }
    return [best, fBest];
  }

  // Parameters and tokens chosen by the law itself in every draw; the structural error there enters the loss.
  function split(option, flops) {
    const c = optionColumns(option), p = draws(option.own), beyond = recorded.beyond(c);
    const product = flops / (6 * option.cost);
    const middle = 0.5 * Math.log(product * data.reference.n / data.reference.d);
    const found = { n: new Float64Array(samples), d: new Float64Array(samples), loss: new Float64Array(samples), own: new Float64Array(samples) };
    let start = middle;
    for (let s = 0; s < samples; s += 1) {
      const own = recorded.loss(p, s, c);
      const along = (x) => { const n = Math.exp(x); return own(n, product / n); };
      if (recorded.nothing(p, s, c)()) {
        found.n[s] = found.d[s] = NaN;
        found.loss[s] = found.own[s] = along(middle);
        continue;
      }
      const [x, value] = minimise(along, start);
      const n = Math.exp(x), d = product / n;
      start = x;
      found.n[s] = n; found.d[s] = d; found.own[s] = value;
      found.loss[s] = recorded.trained(p, s, c)(n, d, beyond(n, d));
    }
    return found;
  }

  function forBudget(state) {
    const { options } = offer(state);
    const found = options.map((option) => split(option, state.flops));
    const sizes = found.map((own) => [own.n, own.d].map((values, which) => {
      const known = finite(values);
      return known.length ? interval(known).median : data.reference[which ? "d" : "n"];
    }));
    const all = decided(options, found.map((own) => own.loss), null, sizes).map((own, index) => ({
      ...own,
      n: interval(found[index].n),
      d: interval(found[index].d),
      draws: found[index],
    }));
    return recommended(all, all.filter((one) => one.supported), (one, other) => one.regret - other.regret);
  }

  // The options with the first of those that may be recommended marked.
  function recommended(options, allowed, order) {
    const [best] = allowed.slice().sort(order);
    return options.map((one) => ({ ...one, recommended: one === best }));
  }

  // Shares of draws that each option wins; only options that something measured supports compete.
  function decided(options, loss, within, sizes) {
    const risks = options.map((option, index) => {
      const c = optionColumns(option), [n, d] = sizes[index];
      return risk(n, d, c);
    });
    let supported = risks.map((one) => !one.unsupported);
    const quantized = options.map((option) => option.bits < 16);
    if (quantized.some(Boolean) && !quantized.some((is, index) => is && supported[index])) supported = options.map(() => false);
    const competing = supported.some(Boolean) ? supported : options.map(() => true);
    const wins = options.map((_, index) => {
      const among = competing[index] ? competing : competing.map((is, other) => is || other === index);
      let count = 0;
      for (let s = 0; s < samples; s += 1) if (winner(options, loss, within, among, s) === index) count += 1;
      return count / samples;
    });
    const lowest = loss[0].map((_, s) => Math.min(...loss.filter((_own, index) => competing[index]).map((own) => own[s])));
    const regret = loss.map((own) => mean(own.map((value, s) => difference(value, lowest[s]))));
    return options.map((option, index) => ({
      label: option.label, bits: option.bits, cost: option.cost, best: wins[index], regret: regret[index],
      loss: interval(loss[index]), grade: risks[index].grade, supported: supported[index],
    }));
  }

  function winner(options, loss, within, among, s) {
    let best = -1, paid = Infinity;
    if (within) options.forEach((option, index) => {
      if (among[index] && within[index][s]) paid = Math.min(paid, option.cost);
    });
    for (let index = 0; index < options.length; index += 1) {
      const allowed = among[index] && (!within || (within[index][s] && options[index].cost === paid));
      if (allowed && (best < 0 || loss[index][s] < loss[best][s])) best = index;
    }
    return best;
  }

  // ---- the part of the risk that distance decides

  const RANKS = ["LOW", "MODERATE", "HIGH", "REFUSE"];

  function risk(n, d, c) {
    const [hull, ofN, ofD, compute, ratio, ...ofBits] = recorded.graded(c)(n, d);
    const bits = Object.fromEntries(data.edges.graded.map((name, index) => [name, ofBits[index]]));
    const found = [...beyondSizes(n, d, ofN, ofD, compute, hull), ...beyondRatios(n, d, c), ...beyondBits(c, bits)];
    if (neverTogether(c)) found.push({ grade: "MODERATE", text: neverTogether(c) });
    data.edges.new.forEach((text) => found.push({ grade: "HIGH", text }));
    const farInEach = [ofN, ofD].some((value) => Math.abs(value) >= limits.refuse_decades - ROUNDING);
    if (Math.abs(compute) >= limits.refuse_decades - ROUNDING && !farInEach) {
      const side = compute > 0 ? "above the largest" : "below the smallest";
      found.push({ grade: "REFUSE", text: `Its compute is a factor of ${significant(10 ** Math.abs(compute), 3)} ${side} fitted run's.` });
    }
    found.sort((one, other) => RANKS.indexOf(other.grade) - RANKS.indexOf(one.grade));
    const decades = Math.max(...[ofN, ofD, compute, ratio].map(Math.abs));
    const below = Math.max(0, ...Object.values(bits).map((value) => -value));
    return {
      grade: found.length ? found[0].grade : "LOW",
      reasons: found.map((one) => one.text),
      unsupported: decades >= limits.refuse_decades - ROUNDING || below >= limits.refuse_bits - ROUNDING,
    };
  }

  const byDecades = (farthest, decades) =>
    farthest >= limits.refuse_decades - ROUNDING ? "REFUSE" : decades >= limits.high_decades - ROUNDING ? "HIGH" : "MODERATE";
  const ROUNDED = 0.002;

  function beyondSizes(n, d, ofN, ofD, compute, hull) {
    if (hull <= ROUNDED) return [];
    const one = (value, excess, [smallest, largest], noun, above, below) => {
      if (Math.abs(excess) <= ROUNDED) return [];
      const side = excess > 0 ? `above the ${above}` : `below the ${below}`;
      return [`${count(value)} ${noun} is ${decadesText(Math.abs(excess))} ${side} fitted run (${count(excess > 0 ? largest : smallest)})`];
    };
    const parts = [
      ...one(n, ofN, data.edges.n, "parameters", "largest", "smallest"),
      ...one(d, ofD, data.edges.d, "tokens", "longest", "shortest"),
    ];
    if (!parts.length) parts.push(`${count(n)} parameters with ${count(d)} tokens is ${decadesText(hull)} outside the fitted combinations`);
    const verdict = hull >= 1 ? "these numbers are not evidence about such a model" : "the law is extrapolated there, not tested";
    return [{ grade: byDecades(Math.max(Math.abs(ofN), Math.abs(ofD), Math.abs(compute)), hull), text: `${parts.join(", and ")}: ${verdict}.` }];
  }

  function beyondRatios(n, d, c) {
    const asked = Math.log10(d / n), found = [];
    let told = -ROUNDED;
    const kinds = [["every", "fitted ratio", true], ["low", "ratio trained in low precision", c.is_quantized || c.is_quantized_backward], ["post", "ratio quantized after training", c.after]];
    for (const [name, which, about] of kinds) {
      const ends = data.edges.ratios[name];
      if (!ends || !about) continue;
      const above = asked > ends[1], excess = Math.max(asked - ends[1], ends[0] - asked, 0);
      if (excess <= ROUNDED || (name !== "every" && excess <= Math.max(told, 0) + ROUNDED)) continue;
      if (name === "every") told = excess;
      const limit = significant(10 ** (above ? ends[1] : ends[0]), 3);
      found.push({
        grade: byDecades(excess, excess),
        text: `${significant(10 ** asked, 3)} tokens per parameter is ${decadesText(excess)} ${above ? "above the largest" : "below the smallest"} ${which} (${limit}).`,
      });
    }
    return found;
  }

  function beyondBits(c, bits) {
    const found = [];
    for (const [name, excess] of Object.entries(bits)) {
      if (Math.abs(excess) <= 1e-6) continue;
      const known = name === "bits_post" ? { name: "weights after training", lo: c.post_lo, hi: c.post_hi } : data.edges.bits[name];
      const asked = name.startsWith("bits_") && name !== "bits_post" ? Math.min(c[name], 16) : c[name];
      const [side, limit] = excess > 0 ? ["above the most", known.hi] : ["below the fewest", known.lo];
      const grade = -excess >= limits.refuse_bits - ROUNDING ? "REFUSE" : -excess >= limits.high_bits - ROUNDING ? "HIGH" : "MODERATE";
      found.push({ grade, text: `${bitsText(asked)} for the ${known.name} is ${significant(Number(Math.abs(excess).toFixed(3)), 6)} ${side} fitted (${significant(limit, 6)}).` });
    }
    return found;
  }

  function neverTogether(c) {
    const names = Object.keys(data.edges.joint.columns), { rows } = data.edges.joint;
    if (names.length < 2 || !rows.length) return "";
    const asked = names.map((name) => (name === "bits_post" ? (c.after ? c.bits_post : 16) : Math.min(c[name], 16)));
    const low = asked.map((bits) => bits < 16);
    const reached = rows.map((row) => row.map((bits, index) => !low[index] || bits <= asked[index]));
    const alone = names.every((_, index) => reached.some((row) => row[index]));
    if (low.filter(Boolean).length < 2 || !alone || reached.some((row) => row.every(Boolean))) return "";
    const which = names.map((name, index) => [data.edges.joint.columns[name], asked[index], low[index]]).filter((one) => one[2]);
    return `No fitted run has so few bits in all of these at once (${which.map(([name, bits]) => `${name} at ${significant(bits, 6)}`).join(", ")}): ` +
      "each was measured, how their penalties combine is the law's form.";
  }

  return { run, afterwards, fixedSizes, forBudget, offer, columns, minimise };
}

// ---- numbers as the report prints them

function significant(value, digits) {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : value < 0 ? "−∞" : "none";
  if (value === 0) return "0";
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  const power = Number(exponent);
  const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  if (power < -4 || power >= digits) {
    return `${trimmed(mantissa)}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  return trimmed(value.toFixed(Math.max(0, digits - 1 - power)));
}

function count(value) {
  if (!Number.isFinite(value)) return significant(value, 3);
  for (const [scale, suffix] of [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "k"]]) {
    if (Math.abs(value) >= scale * 0.9995) return `${significant(value / scale, 3)}${suffix}`;
  }
  return significant(value, 4);
}

const bitsText = (bits) => `${significant(bits, 6)} bit${bits === 1 ? "" : "s"}`;
const decadesText = (decades) => (decades >= 0.95 ? `${decades.toFixed(1)} decades` : `a factor of ${significant(10 ** decades, 3)}`);

function decimals(lo, hi, digits = 2) {
  const width = Math.abs(hi - lo);
  return !Number.isFinite(width) || width === 0 ? 3 : Math.min(8, Math.max(0, digits - 1 - Math.floor(Math.log10(width))));
}

function fixed(value, places) {
  return Number.isFinite(value) && Math.abs(value) < 1e6 ? value.toFixed(places) : significant(value, 3);
}

function probability(share) {
  if (share > 0.999) return "> 99.9 %";
  if (share < 0.001) return "< 0.1 %";
  return share > 0.99 || share < 0.01 ? `${(100 * share).toFixed(1)} %` : `${(100 * share).toFixed(0)} %`;
}
