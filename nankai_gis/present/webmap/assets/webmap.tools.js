/* What a reader does with a map beside looking at it: read coordinates, measure, save a picture. */
const nankaiTools = (function () {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";
  const AXIS = 6378137, SQUARE = 0.0066943800229; // CGCS2000: semi-major axis, eccentricity squared
  const HEAD = 40, FOOT = 26; // pixels above and below a saved picture

  // Metres between two places, by the radii of curvature at their middle latitude: 1e-6 of 10 km.
  function distance(a, b) {
    const lat = (a.lat + b.lat) / 2 * Math.PI / 180, w = 1 - SQUARE * Math.sin(lat) ** 2;
    const north = AXIS * (1 - SQUARE) / w ** 1.5, east = AXIS / Math.sqrt(w) * Math.cos(lat);
    return Math.hypot((b.lat - a.lat) * north, (b.lng - a.lng) * east) * Math.PI / 180;
  }

  const written = (metres) => metres < 999.5 ? `${Math.round(metres)} m` : `${(metres / 1000).toFixed(2)} km`;

  function icon(d) {
    const box = document.createElementNS(SVG, "svg"), path = document.createElementNS(SVG, "path");
    for (const [name, value] of [["viewBox", "0 0 16 16"], ["width", 16], ["height", 16], ["aria-hidden", "true"]]) box.setAttribute(name, value);
    for (const [name, value] of [["d", d], ["fill", "none"], ["stroke", "currentColor"], ["stroke-width", 1.5]]) path.setAttribute(name, value);
    box.appendChild(path);
    return box;
  }

  function tool(label, d, onclick) {
    const node = document.createElement("button");
    node.type = "button";
    node.className = "nk-tool";
    node.title = label;
    node.setAttribute("aria-label", label);
    node.appendChild(icon(d));
    node.addEventListener("click", onclick);
    return node;
  }

  function bar(position, className, ...children) {
    const Bar = L.Control.extend({
      onAdd() {
        const box = document.createElement("div");
        box.className = className;
        box.append(...children);
        L.DomEvent.disableClickPropagation(box);
        return box;
      },
    });
    return new Bar({ position });
  }

  // --- coordinates under the pointer ------------------------------------------------------

  function coordinates(map) {
    const line = document.createElement("div");
    line.className = "nk-where";
    line.hidden = true;
    bar("bottomleft", "nk-where-box", line).addTo(map);
    map.on("mousemove", ({ latlng }) => {
      line.hidden = false;
      line.textContent = `${latlng.lng.toFixed(5)}, ${latlng.lat.toFixed(5)}`;
    });
    map.on("mouseout", () => { line.hidden = true; });
  }

  // --- measuring a line: a click sets a point, Escape or the button ends it ----------------

  function ruler(map, say) {
    let points = null;
    const drawn = L.layerGroup(), pane = map.createPane("nk-measure"), renderer = L.svg({ pane: "nk-measure" });
    pane.style.zIndex = 645;
    const rest = { pane: "nk-measure", renderer, interactive: false, color: "#b00020" };
    const total = document.createElement("output");
    total.className = "nk-total";
    total.hidden = true;
    const switchOn = tool(say.measure, "M1 12 L12 1 L15 4 L4 15 Z M4 9 L6 11 M7 6 L9 8 M10 3 L12 5", () => (points ? end() : start()));
    function start() {
      points = [];
      drawn.addTo(map);
      map.getContainer().classList.add("nk-measuring");
      show();
    }
    function end() {
      points = null;
      drawn.clearLayers().remove();
      map.getContainer().classList.remove("nk-measuring");
      show();
    }
    function show() {
      switchOn.setAttribute("aria-pressed", String(Boolean(points)));
      total.hidden = !points;
      if (!points) return;
      const length = points.slice(1).reduce((sum, at, n) => sum + distance(points[n], at), 0);
      total.textContent = points.length < 2 ? say.measure_how : written(length);
      drawn.clearLayers();
      drawn.addLayer(L.polyline(points, { ...rest, weight: 2.5 }));
      for (const at of points) drawn.addLayer(L.circleMarker(at, { ...rest, radius: 4, weight: 1.5, fillColor: "#fff", fillOpacity: 1 }));
    }
    switchOn.setAttribute("aria-pressed", "false");
    // Before any feature hears of it: while a line is measured a click opens no popup.
    map.getContainer().addEventListener("click", (event) => {
      if (!points || event.target.closest(".leaflet-control")) return;
      event.stopPropagation();
      points.push(map.mouseEventToLatLng(event));
      show();
    }, true);
    return { nodes: [switchOn, total], end: () => (points ? (end(), true) : false) };
  }

  // --- a picture of the view: title, map, scale, credit -------------------------------------

  // Lines of a label as the browser broke them, each with the middle of its box.
  function lines(label) {
    const rows = [], walk = document.createTreeWalker(label, NodeFilter.SHOW_TEXT);
    for (let text = walk.nextNode(); text; text = walk.nextNode()) {
      const look = getComputedStyle(text.parentElement), range = document.createRange();
      for (let i = 0; i < text.length; i += 1) {
        range.setStart(text, i);
        range.setEnd(text, i + 1);
        const box = range.getBoundingClientRect(), last = rows[rows.length - 1];
        if (last && last.look === look && Math.abs(last.top - box.top) < 2) {
          last.text += text.data[i];
          last.right = box.right;
        } else if (box.width) {
          rows.push({ look, text: text.data[i], left: box.left, right: box.right, top: box.top, middle: box.top + box.height / 2 });
        }
      }
    }
    return rows;
  }

  function node(tag, attributes, ...children) {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  function drawing(root, map, data) {
    const holder = map.getContainer(), frame = holder.getBoundingClientRect(), { x: width, y: height } = map.getSize();
    const font = getComputedStyle(root).fontFamily;
    const text = (content, look) => node("text", { "font-family": font, "font-size": 12, fill: "#1f2226", "dominant-baseline": "central", ...look }, content);
    const view = node("svg", { x: 0, y: HEAD, width, height, viewBox: `0 0 ${width} ${height}` },
      node("rect", { width, height, fill: getComputedStyle(holder).backgroundColor }));
    const panes = Object.values(map.getPanes()).sort((a, b) => (getComputedStyle(a).zIndex || 0) - (getComputedStyle(b).zIndex || 0));
    for (const pane of panes) {
      for (const drawn of pane.children) {
        const box = drawn.getBoundingClientRect(), place = { x: box.x - frame.x, y: box.y - frame.y, width: box.width, height: box.height };
        if (drawn instanceof SVGElement) {
          view.append(node("svg", { ...place, viewBox: drawn.getAttribute("viewBox"), "pointer-events": "none" }, ...[...drawn.children].map((child) => child.cloneNode(true))));
        } else if (drawn instanceof HTMLCanvasElement) {
          view.append(node("image", { ...place, href: drawn.toDataURL() }));
        }
      }
    }
    for (const label of holder.querySelectorAll(".nk-label:not(.nk-off)")) {
      const turn = Number(label.dataset.turn || 0);
      if (turn) {
        const box = label.getBoundingClientRect(), look = getComputedStyle(label), x = box.x + box.width / 2 - frame.x, y = box.y + box.height / 2 - frame.y;
        view.append(text(label.textContent, { x, y, transform: `rotate(${turn} ${x} ${y})`, "text-anchor": "middle", "font-size": look.fontSize,
          "font-weight": look.fontWeight, fill: look.color, stroke: "#fff", "stroke-width": 3, "paint-order": "stroke" }));
        continue;
      }
      for (const row of lines(label)) {
        view.append(text(row.text, { x: (row.left + row.right) / 2 - frame.x, y: row.middle - frame.y, "text-anchor": "middle", "font-size": row.look.fontSize,
          "font-weight": row.look.fontWeight, fill: row.look.color, stroke: "#fff", "stroke-width": 3, "stroke-linejoin": "round", "paint-order": "stroke" }));
      }
    }
    const scale = holder.querySelector(".leaflet-control-scale-line");
    if (scale) {
      const long = scale.offsetWidth, y = height - 14;
      view.append(node("path", { d: `M14 ${y - 6} V${y} H${14 + long} V${y - 6}`, fill: "none", stroke: "#1f2226", "stroke-width": 1.5 }),
        text(scale.textContent, { x: 20, y: y - 9, stroke: "#fff", "stroke-width": 3, "paint-order": "stroke" }));
    }
    const credit = data.imprint.map(([name, what]) => name + what).join("   ");
    return node("svg", { xmlns: SVG, width, height: height + HEAD + FOOT, viewBox: `0 0 ${width} ${height + HEAD + FOOT}` },
      ...[...root.querySelectorAll(".nk-defs defs")].map((defs) => defs.cloneNode(true)),
      node("rect", { width, height: height + HEAD + FOOT, fill: "#fff" }),
      text(data.title, { x: 14, y: HEAD / 2, "font-size": 18, "font-weight": 700 }), view,
      text(credit, { x: 14, y: HEAD + height + FOOT / 2, "font-size": 11, fill: "#5d636b" }));
  }

  function save(root, map, data) {
    const picture = drawing(root, map, data), image = new Image();
    image.addEventListener("load", () => {
      const canvas = document.createElement("canvas");
      canvas.width = 2 * picture.getAttribute("width");
      canvas.height = 2 * picture.getAttribute("height");
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => {
        const link = document.createElement("a");
        link.href = URL.createObjectURL(blob);
        link.download = "map.png";
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 10000);
      });
    });
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(picture))}`;
  }

  // --- all of them ------------------------------------------------------------------------

  return function tools(root, map, data) {
    const measuring = ruler(map, data.words);
    coordinates(map);
    bar("topleft", "nk-tools", measuring.nodes[0],
      tool(data.words.save, "M8 1 V10 M4 6.5 L8 10.5 L12 6.5 M1.5 11 V14.5 H14.5 V11", () => save(root, map, data)), measuring.nodes[1]).addTo(map);
    // Escape ends what was begun last: a measurement, else a popup, else the table.
    root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || measuring.end()) return;
      const table = root.querySelector(".nk-figures");
      if (map.hasLayer(map._popup || L.popup())) map.closePopup();
      else if (!table.hidden) root.querySelector(".nk-open").click();
    });
  };
})();
