// Filters and opens: all content is in the page without it.
(() => {
  "use strict";
  const root = document.documentElement;
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));
  document.querySelector('[data-do="print-summary"]').addEventListener("click", () => {
    root.classList.add("summary-only");
    print();
  });

  // A link into something closed opens it; one into something filtered away clears the filters.
  const form = document.querySelector(".filters");
  const reveal = () => {
    let id;
    try { id = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const target = id && document.getElementById(id);
    if (!target) return;
    if (target.closest("[hidden]")) form.reset();
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);

  const rows = all("[data-row]").map((el) => ({
    el, text: el.textContent.toLowerCase(), status: el.dataset.status, severity: el.dataset.severity,
    framework: el.closest("[data-framework]").dataset.framework,
  }));
  const rules = all("[data-rule]").map((el) => {
    const results = all("[data-result]", el).map((r) => (
      { el: r, text: r.textContent.toLowerCase(), status: r.dataset.status, severity: r.dataset.severity }));
    const head = el.querySelector("summary").textContent.toLowerCase();
    return { el, head, results, frameworks: el.dataset.frameworks.split(" ") };
  });
  const groups = all("[data-framework]");
  const said = form.querySelector("output");
  const number = (n) => n.toLocaleString("en");

  const filter = () => {
    const data = new FormData(form);
    const text = data.get("text").trim().toLowerCase();
    const [framework, status, severity] = ["framework", "status", "severity"].map((k) => data.get(k));
    const fits = (x) => (!status || x.status === status) && (!severity || x.severity === severity);
    let controls = 0, results = 0, known = 0;
    for (const x of rows) {
      const show = fits(x) && (!framework || x.framework === framework) && x.text.includes(text);
      x.el.hidden = !show;
      if (show) controls += 1;
    }
    for (const group of groups) group.hidden = !group.querySelector("[data-row]:not([hidden])");
    for (const rule of rules) {
      const mine = !framework || rule.frameworks.includes(framework);
      const named = rule.head.includes(text);
      let shown = 0;
      for (const x of rule.results) {
        const show = mine && fits(x) && (named || x.text.includes(text));
        x.el.hidden = !show;
        if (show) shown += 1;
      }
      known += rule.results.length;
      rule.el.hidden = shown === 0 && !(mine && named && !status && !severity);
      results += shown;
    }
    said.textContent = text || framework || status || severity
      ? `Showing ${number(controls)} of ${number(rows.length)} controls and ${number(results)} of ${number(known)} listed results.`
      : "";
  };
  let waiting;
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
  form.addEventListener("reset", () => { for (const f of form.elements) if (f.name) f.value = ""; filter(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  const toggle = (open) => () => {
    for (const part of all("#controls details.row, #rules details.rule")) if (!part.hidden) part.open = open;
  };
  form.querySelector('[data-do="open"]').addEventListener("click", toggle(true));
  form.querySelector('[data-do="close"]').addEventListener("click", toggle(false));
  reveal();
})();
