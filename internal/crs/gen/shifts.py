"""Which transformation takes a datum to WGS 84 best within an area.

A transformation is a Helmert one or folds into one. Grids are never used: their files are not carried. Codes are EPSG's.
"""

import heapq
import math
import statistics
from collections import defaultdict
from dataclasses import dataclass, replace

WGS84 = 6326  # the datum ensemble
RADIANS_PER_ARCSEC = math.pi / 648000
EARTH = 6371000.0

# Position vector (+1) or coordinate frame (-1) sign of the rotations, and whether rotations turn about a pivot point.
STATIC = {9603: 1, 1031: 1, 9606: 1, 1033: 1, 1065: 1, 9607: -1, 1032: -1, 1066: -1, 9636: -1, 1063: 1, 1061: 1}
MOVING = {1053: 1, 1056: -1}  # with rates; only taken where the whole of the shift is negligible

GRID = 12  # points a side at which the transformations of a CRS are compared
UNSTATED = 50.0  # taken as the accuracy where the dataset states none
MOSTLY = 0.95  # of the places of a CRS are within its accuracy
NEGLIGIBLE = 2.5  # metres; two datums that differ by less are taken as one, and the difference goes into the accuracy
PER_YEAR = {1027: 1e-3, 1034: 1e-2, 1042: 1.0, 1032: 1e-3, 1043: 1.0}  # units of rates, in metres or arc-seconds a year
YEARS = 30.0  # for which a moving transformation's rates are counted


@dataclass(frozen=True)
class Shift:
    code: int
    source: int  # datum
    target: int
    accuracy: float
    params: tuple  # tx ty tz (m), rx ry rz (arc-seconds), ds (ppm); position vector convention
    drift: float  # metres that the rates may add
    deprecated: bool
    boxes: tuple

    def size(self):
        t, r, s = self.params[:3], self.params[3:6], self.params[6]
        return math.hypot(*t) + math.hypot(*r) * RADIANS_PER_ARCSEC * EARTH + abs(s) * 1e-6 * EARTH + self.drift

    def inverse(self):
        """To first order, which is what the linear Helmert formula is good to anyway."""
        p = tuple(0.0 - v for v in self.params)
        return Shift(self.code, self.target, self.source, self.accuracy, p, self.drift, self.deprecated, self.boxes)


def boxes_of(db, table):
    boxes = defaultdict(list)
    for code, w, s, e, n in db.execute(
        """SELECT u.object_code, x.west_lon, x.south_lat, x.east_lon, x.north_lat FROM usage u
           JOIN extent x ON x.auth_name = u.extent_auth_name AND x.code = u.extent_code
           WHERE u.object_table_name = ? AND u.object_auth_name = 'EPSG' AND x.west_lon IS NOT NULL
           ORDER BY u.object_code, x.code""",
        (table,),
    ):
        boxes[code].append((w, s, e + 360 if e < w else e, n))
    return boxes


def area(box):
    w, s, e, n = box
    return (e - w) * (math.sin(math.radians(n)) - math.sin(math.radians(s)))


def holds(box, lon, lat):
    w, s, e, n = box
    return s <= lat <= n and any(w <= lon + turn <= e for turn in (-360, 0, 360))


def grid(box):
    """Points spread over box, with equal areas."""
    w, s, e, n = box
    low, high = math.sin(math.radians(s)), math.sin(math.radians(n))
    for i in range(GRID):
        for j in range(GRID):
            z = low + (high - low) * (i + 0.5) / GRID
            yield w + (e - w) * (j + 0.5) / GRID, math.degrees(math.asin(z))


def apart(a, b, lon, lat):
    """Metres along the ground between what two parameter sets make of a point."""
    lam, phi = math.radians(lon), math.radians(lat)
    up = (math.cos(phi) * math.cos(lam), math.cos(phi) * math.sin(lam), math.sin(phi))
    x, y, z = (v * EARTH for v in up)
    d = [q - p for p, q in zip(a, b)]
    rx, ry, rz = (v * RADIANS_PER_ARCSEC for v in d[3:6])
    s = d[6] * 1e-6
    move = (d[0] + s * x - rz * y + ry * z, d[1] + rz * x + s * y - rx * z, d[2] - ry * x + rx * y + s * z)
    rise = sum(m * u for m, u in zip(move, up))
    return math.hypot(*(m - rise * u for m, u in zip(move, up)))


def read_shifts(db, units, datum_of):
    boxes = boxes_of(db, "helmert_transformation")
    superseded = {
        code
        for (code,) in db.execute(
            """SELECT superseded_code FROM supersession WHERE superseded_table_name = 'helmert_transformation'
               AND replacement_table_name = 'helmert_transformation' AND superseded_auth_name = 'EPSG'
               AND same_source_target_crs = 1"""
        )
    }
    for row in db.execute(
        """SELECT code, method_code, source_crs_code, target_crs_code, accuracy, deprecated, tx, ty, tz,
             translation_uom_code, rx, ry, rz, rotation_uom_code, scale_difference, scale_difference_uom_code,
             rate_tx, rate_ty, rate_tz, rate_translation_uom_code, rate_rx, rate_ry, rate_rz, rate_rotation_uom_code,
             rate_scale_difference, px, py, pz
           FROM helmert_transformation_table WHERE auth_name = 'EPSG' AND source_crs_auth_name = 'EPSG'
             AND target_crs_auth_name = 'EPSG' ORDER BY code"""
    ):
        code, method, source, target, accuracy, deprecated = row[:6]
        if code in superseded or (method not in STATIC and method not in MOVING):
            continue
        sign = STATIC.get(method) or MOVING[method]
        t = [units.metres(v, row[9]) for v in row[6:9]]
        r = [0.0] * 3 if row[10] is None else [
            sign * round(units.degrees(v, row[13]) * 3600, 12) + 0.0 for v in row[10:13]
        ]
        ds = 0.0 if row[14] is None else round(units.ratio(row[14], row[15]) * 1e6, 12)
        if row[25] is not None:  # X' = P + T + M R (X-P): the same as a plain Helmert with T' = T + P - M R P
            p, m = row[25:28], 1 + ds * 1e-6
            a, b, c = (v * RADIANS_PER_ARCSEC for v in r)
            turned = (p[0] - c * p[1] + b * p[2], c * p[0] + p[1] - a * p[2], -b * p[0] + a * p[1] + p[2])
            t = [round(t[i] + p[i] - m * turned[i], 6) for i in range(3)]
        drift = 0.0
        if method in MOVING:
            turn = math.hypot(*row[20:23]) * PER_YEAR[row[23]] * RADIANS_PER_ARCSEC * EARTH
            drift = YEARS * (math.hypot(*row[16:19]) * PER_YEAR[row[19]] + turn)
        yield Shift(code, datum_of.get(source), datum_of.get(target), UNSTATED if accuracy is None else accuracy,
                    (*t, *r, ds), drift, bool(deprecated), tuple(boxes[code]))


class Shifts:
    """The transformations of the dataset, by the datum they start from."""

    def __init__(self, db, units):
        self.datum_of = dict(db.execute("SELECT code, datum_code FROM geodetic_crs WHERE auth_name = 'EPSG'"))
        self.ellipsoid_of = dict(db.execute("SELECT code, ellipsoid_code FROM geodetic_datum WHERE auth_name = 'EPSG'"))
        self.spheres = {
            code for (code,) in db.execute(
                """SELECT code FROM ellipsoid WHERE auth_name = 'EPSG'
                   AND (inv_flattening = 0 OR semi_minor_axis = semi_major_axis)"""
            )
        }
        self.by_source = defaultdict(list)
        for s in read_shifts(db, units, self.datum_of):
            self.by_source[s.source].append(s)
            self.by_source[s.target].append(s.inverse())
        self.hubs = self._hubs(db)
        self.memo = {}
        self.greenwich = self._greenwich(db, units)

    def _hubs(self, db):
        """Datums that are WGS 84 for our purpose, each with the metres by which they may differ."""
        near = defaultdict(list)
        for shifts in self.by_source.values():
            for s in shifts:
                if not s.deprecated and s.size() <= NEGLIGIBLE:
                    near[s.target].append((s.accuracy + s.size(), s.source))
        for ensemble, member, accuracy in db.execute(
            """SELECT m.ensemble_code, m.member_code, d.ensemble_accuracy FROM geodetic_datum_ensemble_member m
               JOIN geodetic_datum d ON d.code = m.ensemble_code AND d.auth_name = m.ensemble_auth_name
               WHERE m.ensemble_auth_name = 'EPSG' ORDER BY m.ensemble_code, m.sequence"""
        ):
            near[ensemble].append((accuracy, member))
            near[member].append((accuracy, ensemble))
        hubs, queue = {}, [(0.0, WGS84)]
        while queue:
            accuracy, datum = heapq.heappop(queue)
            if datum in hubs:
                continue
            hubs[datum] = round(accuracy, 2)
            for step, other in near[datum]:
                # One that is only near through many loose steps is not near.
                if accuracy + step <= 2 * NEGLIGIBLE:
                    heapq.heappush(queue, (accuracy + step, other))
        return hubs

    def _greenwich(self, db, units):
        """Datums that differ from another one by their prime meridian alone."""
        prime = {
            code: units.degrees(lon, uom)
            for code, lon, uom in db.execute(
                """SELECT d.code, p.longitude, p.uom_code FROM geodetic_datum d JOIN prime_meridian p
                   ON p.auth_name = d.prime_meridian_auth_name AND p.code = d.prime_meridian_code
                   WHERE d.auth_name = 'EPSG'"""
            )
        }
        same = {}
        for source, target, turn, uom in db.execute(
            """SELECT source_crs_code, target_crs_code, param1_value, param1_uom_code FROM other_transformation
               WHERE auth_name = 'EPSG' AND method_code = 9601 ORDER BY deprecated DESC, code DESC"""
        ):
            a, b = self.datum_of[source], self.datum_of[target]
            if self.ellipsoid_of[a] == self.ellipsoid_of[b]:
                if abs(prime[a] - prime[b] - units.degrees(turn, uom)) < 1e-4:
                    same[a] = b
        return same

    def best(self, datum, boxes):
        """(shift or None, accuracy in metres) from datum to WGS 84 for a CRS used in boxes; accuracy -1: none is known."""
        datum = self.greenwich.get(datum, datum)
        if datum == WGS84:
            return None, 0.0
        if self.ellipsoid_of[datum] in self.spheres:  # their latitudes are only ever meant as they stand
            return None, -1.0
        box = max(boxes, key=area, default=(-180.0, -90.0, 180.0, 90.0))
        if (datum, box) not in self.memo:
            self.memo[datum, box] = self._best(datum, box)
        return self.memo[datum, box]

    def _direct(self, datum):
        found = [s for s in self.by_source[datum] if s.target in self.hubs and not s.drift and s.target != datum]
        return [s for s in found if not s.deprecated] or found

    def _by_two(self, datum):
        """By way of another datum. Codes stay those of the first steps, which are of no use alone."""
        found = []
        for s in self.by_source[datum]:
            if s.deprecated or s.drift or s.target == datum:
                continue
            for t in self._direct(s.target):
                w, low, e, n = s.boxes[0]
                if any(holds(b, (w + e) / 2, (low + n) / 2) for b in t.boxes):
                    params = tuple(round(a + b, 12) for a, b in zip(s.params, t.params))  # to first order
                    found.append(replace(s, target=t.target, accuracy=s.accuracy + t.accuracy, params=params))
        return [min((s for s in found if s.code == c), key=self.accuracy) for c in sorted({s.code for s in found})]

    def _best(self, datum, box):
        """Of the transformations whose areas meet box, the one that is on average nearest to the best at each place.

        The best at a place is the most accurate one whose area holds it. The accuracy is the stated one of those and the distance of
        the chosen one from them, but not less than its distance from the transformation that leads to WGS 84 without a detour: that is
        what others take. Where no area holds a place, which is where others shift nothing, it is the length of the shift, or as good as
        unstated. What it says is true of most places; where one transformation fits all of the area, it is as the dataset has it.
        """
        found = self._direct(datum) or self._by_two(datum)
        points = list(grid(box))
        places = []  # longitude, latitude, best, and most direct transformation
        for lon, lat in points:
            here = [s for s in found if any(holds(b, lon, lat) for b in s.boxes)]
            if here:
                here.sort(key=lambda s: (self.accuracy(s), min(map(area, s.boxes)), s.code))
                places.append((lon, lat, here[0], next((s for s in here if s.target == WGS84), here[0])))
        if not places:  # no area holds any of the points: one that holds the middle of its own area in box will do
            points = []
            for s in found:
                for w, low, e, n in s.boxes:
                    if holds(box, (w + e) / 2, (low + n) / 2):
                        places.append(((w + e) / 2, (low + n) / 2, s, s))
        if places:
            def errors(s):
                return [max(apart(s.params, b.params, lon, lat) + self.accuracy(b), apart(s.params, d.params, lon, lat))
                        for lon, lat, b, d in places]

            def cost(s):
                return statistics.fmean(apart(s.params, b.params, lon, lat) + self.accuracy(b) for lon, lat, b, _ in places)

            # Those that agree within a metre are told apart by how much of the places they were made for.
            least = min(map(cost, found))
            shift = min(
                (s for s in found if cost(s) <= least + 1),
                key=lambda s: (-sum(any(holds(b, lon, lat) for b in s.boxes) for lon, lat, *_ in places),
                               self.accuracy(s), s.code),
            )
            held = {place[:2] for place in places}
            off = sorted(errors(shift) + [min(UNSTATED, apart((0.0,) * 7, shift.params, *at)) for at in points if at not in held])
            return shift, round(max(self.accuracy(shift), off[int(MOSTLY * len(off))]), 1)
        if datum in self.hubs:
            return None, self.hubs[datum]
        return None, -1.0

    def accuracy(self, shift):
        return round(shift.accuracy + self.hubs[shift.target], 2)
