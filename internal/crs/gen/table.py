"""Writes ../epsg.tsv, ../replaced.tsv and ../shifts.tsv, the tables that package crs embeds, from PROJ's proj.db.

    pip install pyproj==3.7.2
    python3 internal/crs/gen/table.py            # the proj.db of the installed pyproj
    python3 internal/crs/gen/table.py PROJ.DB    # another one, e.g. that of Debian's proj-data

The result depends on proj.db alone. ../EPSG-NOTICE.txt goes with it. Rows of epsg.tsv begin with the code and a letter:

    G geographic, 2D or 3D: name, semi-major axis, inverse flattening (0: a sphere), prime meridian, degrees a unit, shift, accuracy
    P projected: name, base CRS, metres a unit, method, axes, shift, accuracy, values of the method's parameters
    C compound: horizontal CRS

Angles are degrees, lengths metres. A name that begins with a slash goes on from the base CRS's name. A projected CRS without a shift
and an accuracy has the base CRS's. Axes say what the method's coordinates are in terms of the CRS's, where that is not x, y. Zeros at
the end of a row are left out.
"""

import os

from projdb import Units, open_db
from shifts import Shifts, boxes_of

# Parameters in the order in which package crs takes them, where the dataset has another or leaves some out.
EQUIRECTANGULAR = (8823, 8801, 8802, 8806, 8807)
PARAMETERS = {1028: EQUIRECTANGULAR, 1029: EQUIRECTANGULAR}
# To where the coordinates of methods point that are not easting and northing.
POINTING = {9808: "ws", 9819: "sw", 1042: "sw", 9826: "wn", 9828: "ws"}
# Metres by which the usual software, and so the files that it made, is off from the definition: PROJ takes 9803 for a plain 9802, and
# before its version 9.8 multiplied the latitudes of 1028 with the semi-major axis.
MISREAD = {9803: 1000, 1028: 25000}
HERE = os.path.dirname(os.path.abspath(__file__))


def num(v):
    v = float(v)
    return repr(int(v)) if v.is_integer() and abs(v) < 1e15 else repr(v)


def orientation(method, directions):
    """What the method's coordinates are in terms of the x and y of a CRS with these axes.

    x and y are the CRS's axes in their order but for north before east, where y is the first: so it is in GDAL's "traditional GIS
    order" and PROJ's normalisation for visualisation. Polar axes, which go along meridians ("South along 90°E"), are the method's, and
    x is the one called easting.
    """
    if any(d not in ("north", "south", "east", "west") for d in directions):
        return ""
    own = [d[0] for d in directions]
    if own == ["n", "e"]:
        own.reverse()
    terms = []
    for letter in POINTING.get(method, "en"):
        at = next(i for i, d in enumerate(own) if (d in "ew") == (letter in "ew"))
        terms.append(("" if own[at] == letter else "-") + "xy"[at])
    return "" if terms == ["x", "y"] else "".join(terms)


class Table:
    def __init__(self, db):
        self.db, self.units = db, Units(db)
        self.shifts = Shifts(db, self.units)
        self.used = {}
        self.rows = {}
        self.replaced = dict(
            db.execute(
                """SELECT deprecated_code, replacement_code FROM deprecation WHERE table_name = 'geodetic_crs'
                   AND deprecated_auth_name = 'EPSG' AND replacement_auth_name = 'EPSG' ORDER BY replacement_code DESC"""
            )
        )

    def shift(self, datum, boxes):
        shift, accuracy = self.shifts.best(datum, boxes)
        if shift is None:
            return "", num(accuracy)
        self.used[shift.code] = shift
        return str(shift.code), num(accuracy)

    def geographic(self):
        boxes = boxes_of(self.db, "geodetic_crs")
        self.datums = {}
        self.base_shift = {}
        for code, name, datum, ellipsoid, a, a_uom, inv_f, b, lon, lon_uom, uom in self.db.execute(
            """SELECT g.code, g.name, g.datum_code, d.ellipsoid_code, e.semi_major_axis, e.uom_code, e.inv_flattening,
                 e.semi_minor_axis, p.longitude, p.uom_code,
                 (SELECT uom_code FROM axis WHERE coordinate_system_auth_name = g.coordinate_system_auth_name
                    AND coordinate_system_code = g.coordinate_system_code AND coordinate_system_order = 1)
               FROM geodetic_crs g
               JOIN geodetic_datum d ON d.auth_name = g.datum_auth_name AND d.code = g.datum_code
               JOIN ellipsoid e ON e.auth_name = d.ellipsoid_auth_name AND e.code = d.ellipsoid_code
               JOIN prime_meridian p ON p.auth_name = d.prime_meridian_auth_name AND p.code = d.prime_meridian_code
               WHERE g.auth_name = 'EPSG' AND g.type IN ('geographic 2D', 'geographic 3D')
               ORDER BY g.code"""
        ):
            # A deprecated CRS often has no transformation of its own; the one that replaced it on the same figure does.
            other = self.replaced.get(code)
            shift, accuracy = self.shift(datum, boxes[code])
            if accuracy == "-1" and other in self.shifts.datum_of:
                stand_in = self.shifts.datum_of[other]
                if self.shifts.ellipsoid_of[stand_in] == ellipsoid:
                    datum = stand_in
                    shift, accuracy = self.shift(datum, boxes[code] or boxes[other])
            a = self.units.metres(a, a_uom)
            if inv_f is None:
                b = self.units.metres(b, a_uom)
                inv_f = 0 if a == b else a / (a - b)
            self.datums[code] = datum
            self.base_shift[code] = shift, accuracy
            self.rows[code] = ("G", name, num(a), num(inv_f), num(self.units.degrees(lon, lon_uom)),
                               num(self.units.degrees_per_unit(uom)), shift, accuracy)

    def projected(self):
        boxes = boxes_of(self.db, "projected_crs")
        axes = self.axes()
        used = {}
        params = ", ".join(f"c.param{i}_code, c.param{i}_value, c.param{i}_uom_code" for i in range(1, 8))
        for row in self.db.execute(
            f"""SELECT p.code, p.name, p.geodetic_crs_code, c.method_code, p.coordinate_system_code, {params}
               FROM projected_crs p
               JOIN conversion_table c ON c.auth_name = p.conversion_auth_name AND c.code = p.conversion_code
               WHERE p.auth_name = 'EPSG' AND c.method_auth_name = 'EPSG' ORDER BY p.code"""
        ):
            code, name, base, method, system = row[:5]
            given = {row[i]: row[i + 1 : i + 3] for i in range(5, len(row), 3) if row[i] is not None}
            order = PARAMETERS.get(method, tuple(given))
            assert used.setdefault(method, order) == order and set(given) <= set(order), (code, order)
            directions, uom = axes[system]
            shift, accuracy = self.shift(self.datums[base], boxes[code])
            if method in MISREAD:
                accuracy = num(max(MISREAD[method], float(accuracy)))
            shift = shift, accuracy
            base_name = self.rows[base][1]
            if name.startswith(base_name + " / "):
                name = "/" + name[len(base_name) + 3 :]
            self.rows[code] = (
                "P", name, str(base), num(self.units.metres(1, uom)), str(method), orientation(method, directions),
                *(("", "") if shift == self.base_shift[base] else shift),
                *(num(self.units.value(*given[p])) if p in given else "0" for p in order))

    def axes(self):
        """Directions and unit of the first two axes by coordinate system."""
        found = {}
        for system, direction, uom in self.db.execute(
            """SELECT coordinate_system_code, orientation, uom_code FROM axis
               WHERE coordinate_system_auth_name = 'EPSG' AND coordinate_system_order < 3 ORDER BY 1, coordinate_system_order"""
        ):
            found[system] = found.get(system, ((),))[0] + (direction.lower(),), uom
        return found

    def compound(self):
        for code, horizontal, vertical in self.db.execute(
            """SELECT code, horiz_crs_code, vertical_crs_code FROM compound_crs
               WHERE auth_name = 'EPSG' AND horiz_crs_auth_name = 'EPSG'"""
        ):
            if horizontal in self.rows:
                self.rows[code] = ("C", str(horizontal), str(vertical))

    def vertical(self):
        for code, unit in self.db.execute(
            """SELECT v.code, u.name FROM vertical_crs v
               JOIN axis a ON a.coordinate_system_auth_name = v.coordinate_system_auth_name
                 AND a.coordinate_system_code = v.coordinate_system_code
               JOIN unit_of_measure u ON u.auth_name = a.uom_auth_name AND u.code = a.uom_code
               WHERE v.auth_name = 'EPSG'"""
        ):
            self.rows[code] = ("V", unit)

    def replacements(self):
        """Deprecated CRSs that exactly one other stands in for, which is what PROJ calls their non-deprecated form."""
        found = {}
        for old, new in self.db.execute(
            """SELECT deprecated_code, replacement_code FROM deprecation
               WHERE table_name IN ('geodetic_crs', 'projected_crs', 'compound_crs')
               AND deprecated_auth_name = 'EPSG' AND replacement_auth_name = 'EPSG'"""
        ):
            found.setdefault(int(old), set()).add(int(new))
        return {old: tuple(map(str, new)) for old, new in found.items()
                if len(new) == 1 and old in self.rows and new <= self.rows.keys()}

    def write(self, name, rows):
        with open(os.path.join(HERE, "..", name), "w", encoding="utf-8", newline="\n") as f:
            for code in sorted(rows):
                row = [str(code), *rows[code]]
                while row[-1] in ("", "0"):
                    row.pop()
                f.write("\t".join(row) + "\n")


def main():
    table = Table(open_db())
    table.geographic()
    table.projected()
    table.compound()
    table.vertical()
    table.write("epsg.tsv", table.rows)
    table.write("replaced.tsv", table.replacements())
    table.write("shifts.tsv", {
        code: tuple(num(v) for v in (s.params if any(s.params[3:]) else s.params[:3])) for code, s in table.used.items()
    })


if __name__ == "__main__":
    main()
