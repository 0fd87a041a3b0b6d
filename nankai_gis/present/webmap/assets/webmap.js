/* Draws one map per `.nk` element from the JSON block inside it.
 *
 * Text enters the page through `el` alone, as text nodes. Leaflet takes strings as HTML,
 * so tooltips and popups are handed elements, never strings. The page's policy allows no
 * style attributes: looks are SVG attributes or properties set from here. */
(function () {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";
  const CLAUSE_IN_TOOLTIP = 60;
  const NARROW = 720; // pixels of width below which the legend folds away
  const TIP_FACTS = ["street", "area", "length", "coverage", "theme"];
  const TABLE_FACTS = ["street", "role", "theme", "code", "area", "stated", "perimeter", "length",
    "coverage", "section", "status", "accuracy", "source", "date"];

  function el(tag, className, text) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  }

  // Names may run right to left: isolated, they can't reorder what stands around them.
  const bdi = (text, className) => el("bdi", className, text);

  function add(parent, ...children) {
    for (const child of children) if (child) parent.appendChild(child);
    return parent;
  }

  function svg(tag, attributes, ...children) {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return add(node, ...children);
  }

  function button(className, text, onclick) {
    const node = el("button", className, text);
    node.type = "button";
    node.addEventListener("click", onclick);
    return node;
  }

  let drawnMaps = 0; // their hatches need ids of their own: a page may hold several maps

  // --- geometry: lat, lon, then steps, in whole units ---------------------------------

  function points(shape, unit) {
    if (typeof shape[0] !== "number") return shape.map((part) => points(part, unit));
    const line = [];
    for (let i = 0, lat = 0, lon = 0; i < shape.length; i += 2) {
      lat += shape[i];
      lon += shape[i + 1];
      line.push([lat * unit, lon * unit]);
    }
    return line;
  }

  // --- looks ----------------------------------------------------------------------------

  function pathOptions(look, area, hatched) {
    return {
      stroke: Boolean(look.stroke), color: look.stroke || "none", weight: look.weight || 0,
      dashArray: look.dash || null, lineCap: look.dash ? "butt" : "round", opacity: 1,
      fill: area && Boolean(look.fill), fillOpacity: look.fill_opacity || 0, radius: look.radius,
      fillColor: look.fill === "hatch" ? hatched : look.fill,
    };
  }

  function casingOptions(look) {
    return {
      stroke: true, color: look.casing, weight: look.casing_weight, fill: false, opacity: 1,
      lineCap: look.casing_over || look.dash ? "butt" : "round", dashArray: look.casing_over ? "8 8" : null,
    };
  }

  function swatch(look, shape, hatched) {
    const stroke = look.stroke || "none";
    const line = { stroke, "stroke-width": Math.min(look.weight || 0, 5), "stroke-dasharray": look.dash || "none" };
    const box = svg("svg", { class: "nk-swatch", viewBox: "0 0 28 16", "aria-hidden": "true" });
    if (shape === "point") {
      return add(box, svg("circle", { cx: 14, cy: 8, r: look.radius, fill: look.fill, stroke: "#777", "stroke-width": 1 }));
    }
    const under = look.casing && look.casing !== "transparent" && !look.casing_over;
    if (shape === "area") {
      const edge = { x: 2, y: 2, width: 24, height: 12, fill: "none", stroke: look.casing };
      if (under) add(box, svg("rect", { ...edge, "stroke-width": Math.min(look.casing_weight, 4) }));
      const fill = look.fill === "hatch" ? hatched : look.fill || "none";
      return add(box, svg("rect", { x: 2, y: 2, width: 24, height: 12, fill, "fill-opacity": look.fill_opacity || 0, ...line,
        "stroke-width": Math.min(look.weight || 0, 2) }));
    }
    const run = { x1: 1, x2: 27, y1: 8, y2: 8 };
    if (under) add(box, svg("line", { ...run, stroke: look.casing, "stroke-width": Math.min(look.casing_weight, 9) }));
    add(box, svg("line", { ...run, ...line }));
    if (look.casing_over) add(box, svg("line", { ...run, stroke: look.casing, "stroke-width": look.casing_weight, "stroke-dasharray": "5 5" }));
    return box;
  }

  function hatch(id) {
    return svg("svg", { class: "nk-defs", "aria-hidden": "true", width: 0, height: 0 },
      svg("defs", {}, svg("pattern", { id, width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
        svg("line", { x1: 0, x2: 0, y1: 0, y2: 7, stroke: "#4b2e1e", "stroke-width": 1.6, "stroke-opacity": 0.75 }))));
  }

  function northArrow(letter) {
    const box = svg("svg", { viewBox: "0 0 32 46", width: 32, height: 46, role: "img", "aria-label": letter },
      svg("path", { d: "M16 16 L25 44 L16 37 Z", fill: "#1a1a1a" }),
      svg("path", { d: "M16 16 L7 44 L16 37 Z", fill: "#fff", stroke: "#1a1a1a", "stroke-width": 1.2 }));
    const text = svg("text", { x: 16, y: 12, "text-anchor": "middle", "font-size": 13, "font-weight": 600, fill: "#1a1a1a" });
    text.textContent = letter;
    return add(box, text);
  }

  // --- what is said of a feature ----------------------------------------------------------

  function tag(feature, say) {
    return feature.indicative ? el("span", "nk-tag", say.indicative) : null;
  }

  function tooltip(feature, say) {
    const box = el("div", "nk-tip");
    add(box, add(el("strong"), bdi(feature.name)), tag(feature, say));
    const facts = TIP_FACTS.filter((name) => feature.facts[name]);
    if (facts.length) {
      const line = el("div", "nk-tip-facts");
      facts.forEach((name, i) => add(line, i ? el("span", "", " · ") : null, bdi(feature.facts[name])));
      add(box, line);
    }
    if (feature.clause) {
      const letters = Array.from(feature.clause); // by code point: a cut never splits one
      const short = letters.length > CLAUSE_IN_TOOLTIP ? letters.slice(0, CLAUSE_IN_TOOLTIP).join("") + "…" : feature.clause;
      add(box, add(el("div", "nk-tip-clause"), bdi(short)));
    }
    return box;
  }

  function popup(feature, say) {
    const box = el("article", "nk-card");
    add(box, add(el("h2"), bdi(feature.name), tag(feature, say)));
    if (feature.others.length) {
      const others = el("p", "nk-others");
      feature.others.forEach((name, i) => add(others, i ? el("span", "", " / ") : null, bdi(name)));
      add(box, others);
    }
    if (feature.clause) add(box, add(el("blockquote"), bdi(feature.clause)));
    const list = el("dl");
    for (const [name, text] of Object.entries(feature.facts)) {
      if (name === "cited") continue; // the table's short form of the sources
      add(list, el("dt", "", say.facts[name]), add(el("dd"), bdi(text), name === "status" ? tag(feature, say) : null));
    }
    if (feature.sides.length) {
      const sides = el("ul");
      for (const side of feature.sides) add(sides, add(el("li"), bdi(side.text)));
      add(list, el("dt", "", say.facts.sides), add(el("dd"), sides));
    }
    return add(box, list);
  }

  // --- online base map: a picture below the plan, which nothing of the plan depends on --------

  // How far tiles in GCJ-02 lie from WGS-84 at one of their places: read between grid points.
  function displacement(grid, at) {
    const rows = grid.east.length / grid.columns;
    const within = (value, count) => Math.min(Math.max(value, 0), count - 1.000001);
    const x = within((at.lng - grid.west) / grid.step, grid.columns), y = within((at.lat - grid.south) / grid.step, rows);
    const i = Math.floor(x), j = Math.floor(y), u = x - i, v = y - j, n = j * grid.columns + i, m = n + grid.columns;
    const read = (d) => ((d[n] * (1 - u) + d[n + 1] * u) * (1 - v) + (d[m] * (1 - u) + d[m + 1] * u) * v) * grid.unit;
    return L.latLng(read(grid.north), read(grid.east));
  }

  const Shifted = L.TileLayer.extend({
    // Each tile is laid where its middle really is; the data stays where it was measured.
    _getTilePos(coords) {
      const size = this.getTileSize(), zoom = this._tileZoom, map = this._map;
      const middle = map.unproject(coords.scaleBy(size).add(size.divideBy(2)), zoom);
      const by = displacement(this.options.shift, middle);
      const real = L.latLng(middle.lat - by.lat, middle.lng - by.lng);
      const move = map.project(real, zoom).subtract(map.project(middle, zoom));
      return L.TileLayer.prototype._getTilePos.call(this, coords).add(move).subtract([0.5, 0.5]);
    },
    // Neighbours are laid up to a pixel apart: each reaches half a pixel further all around.
    _initTile(tile) {
      L.TileLayer.prototype._initTile.call(this, tile);
      const size = this.getTileSize();
      [tile.style.width, tile.style.height] = [`${size.x + 1}px`, `${size.y + 1}px`];
    },
    _getTiledPixelBounds(centre) {
      const by = displacement(this.options.shift, centre);
      return L.TileLayer.prototype._getTiledPixelBounds.call(this, L.latLng(centre.lat + by.lat, centre.lng + by.lng));
    },
  });

  function laid(tiles, url) {
    const Kind = tiles.shift ? Shifted : L.TileLayer;
    return new Kind(url, { maxNativeZoom: tiles.max_zoom, maxZoom: 21, shift: tiles.shift,
      referrerPolicy: tiles.referrer ? "strict-origin-when-cross-origin" : false });
  }

  // --- the map ----------------------------------------------------------------------------

  function draw(root) {
    root.dataset.nkMap = "";
    const data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
    const say = data.words;
    const part = (name) => root.querySelector(".nk-" + name);
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    part("head").querySelector(".nk-title").textContent = data.title;
    part("head").querySelector("p").textContent = data.subtitle;
    const phone = root.clientWidth <= NARROW;
    const hatchId = `nk-hatch-${drawnMaps += 1}`, hatched = `url(#${hatchId})`;
    add(root, hatch(hatchId));
    for (const layer of data.layers) {
      for (const { facts } of layer.features) {
        if (!facts.source) continue;
        facts.cited = facts.source.map((n) => n + 1).sort((a, b) => a - b).join(", ");
        facts.source = facts.source.map((n) => data.sources[n]).join("; ");
      }
    }

    const holder = part("map");
    holder.setAttribute("aria-label", say.map);
    const map = L.map(holder, {
      attributionControl: false, zoomControl: false, zoomSnap: 0.25, zoomDelta: 0.5, wheelPxPerZoomLevel: 120,
      scrollWheelZoom: !root.classList.contains("nk-embedded"), // a report is scrolled past its maps
      zoomAnimation: !calm, fadeAnimation: !calm, inertia: !calm,
    });
    const bounds = L.latLngBounds(data.bounds);
    const fit = () => {
      map.options.zoomSnap = 0; // a step of zoom would leave a margin of up to a fifth
      map.fitBounds(bounds, { padding: [12, 12], maxZoom: 17, animate: false }); // a spot has no size
      map.options.zoomSnap = 0.25;
      whole = { centre: map.getCenter(), zoom: map.getZoom() };
    };
    const untouched = () => whole && map.getZoom() === whole.zoom && map.getCenter().equals(whole.centre, 1e-4);
    let whole = null; // the view that shows everything, kept through a change of size
    map.setView(bounds.getCenter(), 12, { animate: false });

    map.createPane("nk-land").style.zIndex = data.tiles ? 190 : 390; // under tiles, if there are any
    if (data.tiles) for (const url of data.tiles.urls) laid(data.tiles, url).addTo(map);
    const ground = L.svg({ pane: "nk-land" });
    const layers = {};
    data.layers.forEach((layer, height) => { layers[layer.key] = paint(layer, height); });

    // The district lies on the ground as a white sheet; it stays when its line is switched off.
    function land(at) {
      L.polygon(at, { pane: "nk-land", renderer: ground, stroke: false, fillColor: "#fff", fillOpacity: 1, interactive: false }).addTo(map);
    }

    function paint(layer, height) {
      const pane = map.createPane("nk-" + layer.key);
      pane.style.zIndex = 400 + height;
      const renderer = layer.network ? L.canvas({ pane: "nk-" + layer.key, tolerance: 4 }) /* SVG would be slow to pan */ : L.svg({ pane: "nk-" + layer.key });
      const group = L.layerGroup();
      const drawn = layer.features.map(() => null);
      const under = [], lines = [], over = [], dashed = [];
      const edges = layer.features.map(() => []); // what is drawn thicker under the pointer
      function highlight(number, on) {
        for (const [line, weight] of edges[number]) line.setStyle({ weight: on ? weight + 2 : weight });
      }
      layer.features.forEach((feature, number) => {
        if (!feature.shape) return;
        const look = data.looks[feature.look];
        const at = points(feature.shape, data.unit);
        const depth = Array.isArray(at[0][0]) ? (Array.isArray(at[0][0][0]) ? 2 : 1) : 0;
        const make = (options) => {
          const rest = { ...options, renderer, pane: "nk-" + layer.key, interactive: !layer.base };
          const shape = depth === 2 ? L.polygon(at, rest) : depth ? L.polyline(at, rest) : L.circleMarker(at[0], rest);
          if (!layer.base) {
            shape.bindTooltip(() => tooltip(feature, say), { sticky: true, className: "nk-bubble", opacity: 1 });
            // Beside the controls, or on a phone below them.
            shape.bindPopup(() => popup(feature, say), { maxWidth: 320, minWidth: 220, className: "nk-bubble",
              autoPanPaddingTopLeft: phone ? [8, 164] : [60, 8], autoPanPaddingBottomRight: [phone ? 8 : 72, 48] });
            shape.on("mouseover", () => highlight(number, true)).on("mouseout", () => highlight(number, false));
          }
          return shape;
        };
        if (layer.key === "district") land(at);
        const options = pathOptions(look, depth !== 1, hatched);
        // Where the sides are told apart, each is solid or dashed by its own certainty.
        drawn[number] = make(feature.sides.length ? { ...options, stroke: false } : options);
        lines.push(drawn[number]);
        if (!feature.sides.length) edges[number].push([drawn[number], options.weight]);
        for (const side of feature.sides) {
          const line = L.polyline(points(side.line, data.unit), { ...options, fill: false, renderer, pane: "nk-" + layer.key,
            interactive: false, dashArray: side.doubt ? data.doubt : null, lineCap: "butt" });
          edges[number].push([line, options.weight]);
          if (side.doubt) dashed.push(line);
          over.push(line);
        }
        if (look.casing && !layer.network) (look.casing_over ? over : under).push(make(casingOptions(look)));
      });
      // All casings first: where two corridors meet, neither cuts the other's line. The
      // list is drawn from its end, so that the first corridor by rank lies on top.
      for (const shape of [...under.reverse(), ...lines.reverse(), ...over]) group.addLayer(shape);
      return { ...layer, group, drawn, dashed };
    }

    // --- Folium layers that were added: above the plan, their texts as text ---------------

    map.createPane("nk-added").style.zIndex = 630;
    const above = L.svg({ pane: "nk-added" });
    const extra = data.added.groups.map((group) => {
      const drawn = L.layerGroup();
      for (const part of group.shapes) {
        const at = points(part.shape, data.unit);
        const depth = Array.isArray(at[0][0]) ? (Array.isArray(at[0][0][0]) ? 2 : 1) : 0;
        const rest = { ...pathOptions(part.look, depth !== 1, hatched), renderer: above, pane: "nk-added" };
        const shape = depth === 2 ? L.polygon(at, rest) : depth ? L.polyline(at, rest) : L.circleMarker(at[0], rest);
        const lines = (texts) => {
          const box = el("div", "nk-tip");
          for (const text of texts) add(box, add(el("div"), bdi(text)));
          return box;
        };
        if (part.tip.length) shape.bindTooltip(() => lines(part.tip), { sticky: true, className: "nk-bubble", opacity: 1 });
        if (part.card.length) shape.bindPopup(() => lines(part.card), { maxWidth: 320, className: "nk-bubble" });
        drawn.addLayer(shape);
      }
      if (group.on) drawn.addTo(map);
      return { ...group, drawn };
    });

    // --- labels: placed one by one, the more important first; none on top of another ----

    const pane = map.createPane("nk-labels");
    pane.style.zIndex = 640;
    pane.classList.add("leaflet-zoom-hide"); // they are placed anew after each zoom
    const labels = data.label_order.flatMap((key) => layers[key].labels.map((label) => {
      const node = el("div", "nk-label nk-label-" + key), name = el("bdi");
      // A name in two parts breaks between them, after its closing bracket.
      for (const piece of label.text.split(/(?<=[」』”）])/)) add(name, el("span", "nk-piece", piece));
      add(node, name);
      if (label.indicative) add(node, el("small", "", say.indicative));
      if (label.ink) node.style.color = label.ink;
      add(pane, node);
      return { ...label, node, key, shape: layers[key].drawn[label.row] };
    }));

    // Spots of sites: a name keeps off them where it has another place to go.
    const dots = (layers.sites ? layers.sites.drawn : []).filter((shape) => shape && shape.getLatLng);

    let kept = []; // the boxes of scale, arrow and buttons, where no label may stand

    // Sizes are read together, before anything is moved: else each read costs a layout.
    function measure() {
      const frame = holder.getBoundingClientRect();
      kept = [...holder.querySelectorAll(".leaflet-control")].map((node) => node.getBoundingClientRect())
        .filter((box) => box.width).map((box) => ({ x: box.x - frame.x, y: box.y - frame.y, w: box.width, h: box.height }));
      for (const { node } of labels) {
        node.classList.remove("nk-upright");
        node.style.width = "";
      }
      // A name on two lines is as wide as the longer of them, not as the room that it could have.
      const widths = labels.map(({ node }) => [...node.firstChild.getClientRects()].map((box) => box.width));
      labels.forEach(({ node }, n) => { if (widths[n].length) node.style.width = `${Math.ceil(Math.max(...widths[n])) + 1}px`; });
      for (const label of labels) Object.assign(label, { w: label.node.offsetWidth, h: label.node.offsetHeight });
    }

    // What a name covers only where it must: spots of sites, corridors, dashed boundaries.
    function toKeepClear() {
      const spots = [];
      const add = (x, y, reach, line) => spots.push({ x: x - reach, y: y - reach, w: 2 * reach, h: 2 * reach, line });
      const follow = (line, reach, of) => {
        if (Array.isArray(line[0])) return line.forEach((part) => follow(part, reach, of));
        line.map((at) => map.latLngToContainerPoint(at)).forEach((to, n, all) => {
          const from = all[Math.max(n - 1, 0)], steps = Math.max(1, Math.ceil(from.distanceTo(to) / 7));
          for (let k = 1; k <= steps; k += 1) add(from.x + (to.x - from.x) * k / steps, from.y + (to.y - from.y) * k / steps, reach, of);
        });
        return null;
      };
      if (layers.sites && layers.sites.on) {
        for (const dot of dots) {
          const { x, y } = map.latLngToContainerPoint(dot.getLatLng());
          add(x, y, 6, dot);
        }
      }
      if (layers.corridors && layers.corridors.on) {
        for (const line of layers.corridors.drawn) if (line) follow(line.getLatLngs(), 3, line);
      }
      for (const key of ["zones", "parcel"]) {
        if (layers[key] && layers[key].on) layers[key].dashed.forEach((line) => follow(line.getLatLngs(), 1.5, line));
      }
      return spots;
    }

    // The outer ring of a polygon on the screen; null for what isn't one.
    function ringOf(shape) {
      if (!(shape instanceof L.Polygon)) return null;
      let ring = shape.getLatLngs();
      while (Array.isArray(ring[0])) ring = ring.reduce((a, b) => (b.length > a.length ? b : a)); // the largest part
      return ring.map((at) => map.latLngToContainerPoint(at));
    }

    function holds(ring, x, y) {
      let inside = false;
      for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
        const a = ring[i], b = ring[j];
        if ((a.y > y) !== (b.y > y) && x < (b.x - a.x) * (y - a.y) / (b.y - a.y) + a.x) inside = !inside;
      }
      return inside;
    }

    function place() {
      const size = map.getSize(), taken = [...kept], keepClear = toKeepClear();
      const apart = (box, t, gap) => box.x > t.x + t.w + gap || t.x > box.x + box.w + gap || box.y > t.y + t.h + gap / 3 || t.y > box.y + box.h + gap / 3;
      for (const label of labels) {
        const { node } = label;
        const spot = layers[label.key].on && map.getZoom() >= label.from && seek(label);
        node.classList.toggle("nk-off", !spot);
        if (!spot) continue;
        taken.push(spot);
        node.classList.toggle("nk-upright", spot.upright);
        node.style.width = spot.upright ? "auto" : `${label.w}px`;
        const [w, h] = spot.upright ? [label.h, label.w] : [label.w, label.h];
        L.DomUtil.setPosition(node, map.containerPointToLayerPoint([spot.x + (spot.w - w) / 2, spot.y + (spot.h - h) / 2]).round());
        if (spot.turn) node.style.transform += ` rotate(${spot.turn}deg)`;
        node.dataset.turn = spot.turn;
      }

      // Where a name may stand at one of its spots: along a line, beside a dot, inside an area.
      function boxes(label, at) {
        const { w, h } = label, p = map.latLngToContainerPoint(at);
        const around = (dx, dy, bw, bh, turn, upright) => ({ x: p.x + dx - bw / 2, y: p.y + dy - bh / 2, w: bw, h: bh, turn, upright });
        if (label.key === "corridors" || label.key === "streets") {
          const bearing = at[2] || 0, angle = bearing * Math.PI / 180, reach = h / 2 + (label.key === "corridors" ? 6 : 3);
          const upright = Math.abs(bearing) > 55 && !/[a-z]/i.test(label.text), turn = upright ? 0 : -bearing;
          const [c, s] = [Math.abs(Math.cos(angle)), Math.abs(Math.sin(angle))];
          const [bw, bh] = upright ? [h, w] : [w * c + h * s, w * s + h * c];
          return [1, -1].map((side) => around(-side * Math.sin(angle) * reach, -side * Math.cos(angle) * reach, bw, bh, turn, upright));
        }
        if (label.key !== "sites") {
          return [[0, 0], [w / 5, 0], [-w / 5, 0], [0, h / 4], [0, -h / 4]].map(([dx, dy]) => around(dx, dy, w, h, 0, false));
        }
        return [[w / 2 + 8, 0], [-w / 2 - 8, 0], [0, -h], [0, h]].map(([dx, dy]) => around(dx, dy, w, h, 0, false));
      }

      // A zone that is too small for its name still has it: over its edge, about its middle.
      function seek(label) {
        const ring = ringOf(label.shape);
        const whole = (box) => [0, 1].every((u) => [0, 1].every((v) => holds(ring, box.x + u * box.w, box.y + v * box.h)));
        const best = fit(label, ring ? whole : () => true);
        if (best || !ring || label.key === "subdistricts") return best;
        return fit(label, (box) => holds(ring, box.x + box.w / 2, box.y + box.h / 2));
      }

      function fit(label, fits) {
        let best = null, least = Infinity;
        for (const at of label.at) {
          for (const box of boxes(label, at)) {
            if (box.x < 2 || box.y < 2 || box.x + box.w > size.x - 2 || box.y + box.h > size.y - 2) continue;
            if (!taken.every((t) => apart(box, t, 3))) continue;
            if (!fits(box)) continue;
            const covered = [...new Set(keepClear.filter((t) => !apart(box, t, 0)).map((t) => t.line))]
              .reduce((sum, thing) => sum + (dots.includes(thing) ? 3 : 1), 0);
            if (covered < least) [best, least] = [box, covered];
            if (!least) return best;
          }
        }
        // A road's name isn't written across what matters more.
        return least && label.key === "streets" ? null : best;
      }
    }
    map.on("moveend", place).on("resize", () => { measure(); place(); }); // a zoom ends in a move

    // --- legend -------------------------------------------------------------------------

    const side = part("side");
    const fold = button("nk-fold", say.legend, () => {
      fold.setAttribute("aria-expanded", String(!side.classList.toggle("nk-folded")));
    });
    function shape() {
      const narrow = root.clientWidth <= NARROW;
      if (root.clientWidth && narrow !== root.classList.contains("nk-narrow")) {
        root.classList.toggle("nk-narrow", narrow);
        side.classList.toggle("nk-folded", narrow);
      }
      fold.setAttribute("aria-expanded", String(!side.classList.contains("nk-folded")));
    }
    shape();
    const legend = add(el("nav", "nk-legend"), el("h2", "nk-side-title", say.legend));
    legend.setAttribute("aria-label", say.legend);
    add(side, fold, legend);

    // --- search: the name of a feature, in any script that it has --------------------------

    const named = new Map();
    for (const key of data.order) {
      layers[key].features.forEach((feature, number) => {
        if (!layers[key].drawn[number]) return;
        for (const name of [feature.name, ...feature.others]) if (name && !named.has(name.toLowerCase())) named.set(name.toLowerCase(), { name, key, number });
      });
    }
    const search = el("input", "nk-search"), hits = el("datalist"), answer = el("p", "nk-answer");
    search.type = "search";
    search.placeholder = say.search;
    search.setAttribute("aria-label", say.search);
    hits.id = `${hatchId}-names`;
    search.setAttribute("list", hits.id);
    answer.setAttribute("role", "status");
    for (const { name } of named.values()) {
      const option = el("option");
      option.value = name;
      hits.appendChild(option);
    }
    function seekName(whole) {
      const wanted = search.value.trim().toLowerCase();
      const found = wanted && (named.get(wanted) || (!whole && [...named].find(([name]) => name.includes(wanted)) || [])[1]);
      answer.textContent = wanted && !found && !whole ? say.no_match : "";
      if (!found) return;
      const layer = layers[found.key];
      focus(layer, null, [layer.drawn[found.number]], search);
    }
    search.addEventListener("input", () => seekName(true)); // a name chosen from the list
    search.addEventListener("keydown", (event) => { if (event.key === "Enter") seekName(false); });
    if (named.size) add(legend, search, hits, answer);

    if (data.keys.length) {
      const list = el("ul", "nk-keys");
      data.keys.forEach((key) => add(list, add(el("li"), add(el("span", "nk-item"), swatch(data.looks[key.look], "line"), el("span", "", key.label)))));
      add(legend, list);
    }

    const kind = { sites: "point", corridors: "line", streets: "line" };

    function look(layer, item) {
      return swatch(data.looks[item.look], kind[layer.key] || "area", hatched);
    }

    data.order.forEach((key) => {
      const layer = layers[key];
      const box = el("fieldset", "nk-layer"), label = el("label"), input = el("input");
      input.type = "checkbox";
      input.checked = layer.on;
      input.name = key;
      box.classList.toggle("nk-unused", !layer.on);
      input.addEventListener("change", () => {
        layer.on = input.checked;
        if (layer.on) map.addLayer(layer.group); else map.removeLayer(layer.group);
        box.classList.toggle("nk-unused", !layer.on);
        place();
      });
      const single = layer.single ? layer.items[0] : null;
      add(label, input, single || !layer.items.length ? look(layer, single || layer) : null,
        el("span", "nk-layer-name", layer.label), single ? null : el("span", "nk-count", layer.count));
      add(box, label);
      if (single) {
        add(box, item(layer, single, false));
      } else if (layer.items.length) {
        const list = el("ul");
        layer.items.forEach((one) => add(list, add(el("li"), item(layer, one, true))));
        add(box, list);
      }
      add(legend, box);
    });

    function item(layer, one, pictured) {
      const shown = (one.show || []).map((i) => layer.drawn[i]).filter(Boolean);
      const under = one.indicative !== undefined;
      const row = shown.length ? button("nk-item", undefined, () => focus(layer, one, shown, row)) : el("span", "nk-item");
      const value = bdi(one.value, "nk-value");
      const text = add(el("span", "nk-item-text"), bdi(one.label, "nk-item-name"));
      if (under) add(text, add(el("span", "nk-under"), value, tag(one, say)));
      return add(row, pictured ? look(layer, one) : null, text, under ? null : value);
    }

    // From the legend to the feature: what a mouse finds on the map, a keyboard finds here.
    function focus(layer, one, shown, from) {
      if (!layer.on) legend.querySelector(`input[name="${layer.key}"]`).click();
      const around = L.featureGroup(shown).getBounds();
      map.fitBounds(around, { maxZoom: 15, padding: [40, 40], animate: false });
      const middle = around.getCenter();
      const target = shown[0];
      map.once("popupclose", () => from.focus({ preventScroll: true }));
      target.openPopup(target.getCenter && shown.length === 1 ? target.getCenter() : middle);
    }

    for (const group of data.added.switch ? extra.filter((each) => each.name) : []) {
      const box = el("fieldset", "nk-layer"), label = el("label"), input = el("input");
      input.type = "checkbox";
      input.checked = group.on;
      input.addEventListener("change", () => (input.checked ? map.addLayer(group.drawn) : map.removeLayer(group.drawn)));
      add(legend, add(box, add(label, input, bdi(group.name, "nk-layer-name"))));
    }

    add(legend, ...say.notes.map((note) => el("p", "nk-note", note)));

    map.on("popupopen", (event) => {
      const close = event.popup.getElement().querySelector(".leaflet-popup-close-button");
      close.setAttribute("aria-label", say.close);
      close.focus({ preventScroll: true });
    });

    // --- instruments --------------------------------------------------------------------

    L.control.zoom({ zoomInTitle: say.zoom_in, zoomOutTitle: say.zoom_out }).addTo(map);
    L.control.scale({ imperial: false, maxWidth: 140 }).addTo(map);
    const Corner = L.Control.extend({
      onAdd() {
        const box = add(el("div", "nk-corner"), northArrow(say.north), button("nk-whole", say.whole, fit));
        L.DomEvent.disableClickPropagation(box);
        return box;
      },
    });
    new Corner({ position: "topright" }).addTo(map);
    nankaiTools(root, map, data);

    // --- table and imprint --------------------------------------------------------------

    const figures = part("figures"), foot = part("foot");
    data.order.forEach((key) => {
      const { features, base, network } = layers[key];
      if (!base && !network) add(figures, table(layers[key], features));
    });
    if (data.sources.length) {
      const list = el("ol", "nk-sources");
      for (const text of data.sources) add(list, add(el("li"), bdi(text)));
      add(figures, el("h3", "", say.facts.source), list);
    }

    function table(layer, rows) {
      const columns = TABLE_FACTS.filter((name) => rows.some((row) => row.facts[name]));
      const box = add(el("table"), el("caption", "", layer.label));
      const head = el("tr");
      for (const name of ["name", ...columns]) {
        const cell = el("th", "", say.facts[name]);
        cell.scope = "col";
        add(head, cell);
      }
      const body = el("tbody");
      for (const row of rows) {
        const line = el("tr"), name = add(el("th"), bdi(row.name));
        name.scope = "row";
        add(line, name);
        for (const fact of columns) {
          const cell = add(el("td", "nk-" + fact), bdi(row.facts[fact === "source" ? "cited" : fact] || "—"));
          if (fact === "status") {
            if (row.indicative) add(cell, tag(row, say));
          }
          add(line, cell);
        }
        add(body, line);
      }
      return add(box, add(el("thead"), head), body);
    }

    const open = button("nk-open", say.table, () => {
      figures.hidden = !figures.hidden;
      open.setAttribute("aria-expanded", String(!figures.hidden));
      if (!figures.hidden) figures.focus();
    });
    open.setAttribute("aria-expanded", "false");
    figures.tabIndex = -1;
    figures.setAttribute("aria-label", say.table);
    add(foot, open);
    data.imprint.forEach(([name, text]) => {
      const line = el("span", "nk-imprint");
      if (name) add(line, el("span", "nk-imprint-name", name));
      add(foot, add(line, bdi(text)));
    });

    // --- print: the sheet has its own map size, so the map is fitted to it and back -----

    // In a frame the sheet is a figure of somebody else's page: as large as its frame is there.
    root.classList.toggle("nk-framed", window.parent !== window);
    let before = null;
    function paper(on) {
      if (on === Boolean(before)) return;
      // A browser puts off what is out of sight, and then prints it.
      if (on) settle();
      if (on) before = { centre: map.getCenter(), zoom: map.getZoom(), least: map.getMinZoom() };
      if (on) root.classList.remove("nk-narrow");
      root.classList.toggle("nk-paper", on);
      if (!on) shape();
      map.setMinZoom(0).invalidateSize({ animate: false });
      if (on) {
        fit();
      } else {
        map.setView(before.centre, before.zoom, { animate: false }).setMinZoom(before.least);
        before = null;
      }
      measure();
      place();
    }
    window.addEventListener("beforeprint", () => paper(true));
    window.addEventListener("afterprint", () => paper(false));
    window.matchMedia("print").addEventListener("change", (event) => paper(event.matches));

    // As far to one side as to the other: Leaflet moves a view wider than its bounds to their middle.
    function around(reach) {
      const zoom = map.getZoom(), middle = map.project(map.getCenter(), zoom), half = L.point(0, 0);
      for (const part of [bounds.pad(0.6), reach.pad(0.05)]) {
        for (const corner of [part.getNorthWest(), part.getSouthEast()]) {
          const off = map.project(corner, zoom).subtract(middle);
          half.x = Math.max(half.x, Math.abs(off.x));
          half.y = Math.max(half.y, Math.abs(off.y));
        }
      }
      return L.latLngBounds(map.unproject(middle.subtract(half), zoom), map.unproject(middle.add(half), zoom));
    }

    // In a notebook or a hidden tab the page runs before it has a size to fit anything to.
    function settle() {
      if (root.dataset.drawn || !holder.clientWidth || !holder.clientHeight) return;
      map.invalidateSize({ animate: false });
      fit();
      // Only now: layers that are there before are projected twice.
      for (const layer of Object.values(layers)) if (layer.on) layer.group.addTo(map);
      // What lies outside the first view, as a network around a zone, can be gone to and seen whole.
      const reach = L.latLngBounds(data.reach);
      map.setMinZoom(Math.floor(Math.min(map.getZoom() - 1, map.getBoundsZoom(reach))));
      map.setMaxBounds(around(reach));
      measure();
      place();
      root.dataset.drawn = "yes";
    }
    settle();
    new ResizeObserver(() => {
      if (before) return;
      settle();
      if (!root.dataset.drawn) return;
      shape();
      const all = untouched();
      map.invalidateSize({ animate: false });
      if (all) fit();
    }).observe(root);
  }

  // In a page that includes the map twice this runs twice, and draws what is new.
  // There it stands in a shadow tree, where the styles of the page don't reach it.
  window.nankaiMaps = () => {
    for (const host of document.querySelectorAll(".nk-host:not([data-nk-map])")) {
      host.dataset.nkMap = "";
      const shadow = host.attachShadow({ mode: "open" });
      shadow.appendChild(host.querySelector("template").content);
      draw(shadow.querySelector(".nk"));
    }
    for (const root of document.querySelectorAll(".nk:not([data-nk-map])")) draw(root);
  };
  window.nankaiMaps();
})();
