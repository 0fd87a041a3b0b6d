"""From a clause to geometry: measured courses, the ring of four sides, the axis of a corridor."""
