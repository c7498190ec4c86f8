"""Writes ../testdata/truth.json: what PROJ makes of points in every geographic 2D CRS of epsg.tsv and in a sample of zones.

    pip install pyproj==3.7.2
    python3 internal/crs/gen/truth.py

It uses pyproj alone, without any grid: own holds [code, x, y, longitude, latitude] on the CRS's own datum, wgs84 the same on
WGS 84 by the operation that PROJ prefers at that place.
"""

import json
import math
import os
import random
import warnings

import pyproj
from pyproj import CRS, Transformer

HERE = os.path.dirname(os.path.abspath(__file__))
ZONES = 400  # of the Transverse Mercator CRSs


def places(crs):
    """Longitudes and latitudes in the CRS's area of use, from its middle outwards."""
    use = crs.area_of_use
    w, s, e, n = use.bounds if use and use.west >= -180 else (-10, 40, 10, 50)
    e += 360 if e < w else 0
    steps = [(i / 8, j / 8) for i in range(1, 8) for j in range(1, 8)]
    steps.sort(key=lambda p: math.hypot(p[0] - 0.5, p[1] - 0.5))
    return [(w + (e - w) * u, s + (n - s) * v) for u, v in steps]


def geographic(code):
    """The first place where PROJ has an operation that moves the point, else the middle one."""
    crs = CRS.from_epsg(code)
    unit = 0.9 if crs.axis_info[0].unit_name == "grad" else 1.0
    meridian = crs.prime_meridian.longitude * crs.prime_meridian.unit_conversion_factor * 180 / math.pi
    to84 = Transformer.from_crs(crs, 4326, always_xy=True)
    first = None
    for lon, lat in places(crs):
        x, y = round((lon - meridian) / unit, 4), round(lat / unit, 4)
        got = to84.transform(x, y)
        first = first or (x, y, *got)
        if abs(got[1] - y * unit) > 1e-9:
            return [code, x, y, *got]
    return [code, *first]


def projected(code, lon, lat):
    crs = CRS.from_epsg(code)
    base = crs.geodetic_crs
    x, y = Transformer.from_crs(4326, crs, always_xy=True).transform(lon, lat)
    x, y = round(x, 1), round(y, 1)
    there = Transformer.from_crs(crs, base, always_xy=True).transform(x, y)
    meridian = base.prime_meridian.longitude * base.prime_meridian.unit_conversion_factor * 180 / math.pi
    unit = 0.9 if base.axis_info[0].unit_name == "grad" else 1.0
    return [code, x, y, there[0] * unit + meridian, there[1] * unit]


def main():
    warnings.filterwarnings("ignore")
    pyproj.network.set_network_enabled(False)
    pick = random.Random(9807)
    with open(os.path.join(HERE, "..", "epsg.tsv"), encoding="utf-8") as f:
        rows = [line.rstrip("\n").split("\t") for line in f]
    kinds = {kind: [int(r[0]) for r in rows if r[1] == kind] for kind in "GTW"}
    utm = [int(r[0]) for r in rows if r[1] == "T" and "UTM zone" in r[2]]
    sample = sorted(set(pick.sample(kinds["T"], ZONES) + pick.sample(utm, ZONES // 4)))
    own = []
    for code in sample:
        # One place in the area of use and one up to 10 degrees from the central meridian.
        spots = places(CRS.from_epsg(code))
        lon, lat = pick.choice(spots)
        own.append(projected(code, lon, lat))
        own.append(projected(code, spots[0][0] + pick.uniform(-7, 7), max(-89.0, min(89.0, lat + pick.uniform(-30, 30)))))
    for x, y in ((0, 0), (1e7, -3e6), (-20037508.3, 20037508.3), (19999999.5, 34619289.4)):
        own.append([3857, x, y, *Transformer.from_crs(3857, 4326, always_xy=True).transform(x, y)])
    truth = {
        "made_by": f"gen/truth.py with PROJ {pyproj.proj_version_str}",
        "own": own,
        "wgs84": [geographic(code) for code in kinds["G"] if len(CRS.from_epsg(code).axis_info) == 2],
    }

    def rounded(row):
        return [row[0], *(round(v, 10) for v in row[1:])]

    with open(os.path.join(HERE, "..", "testdata", "truth.json"), "w", encoding="utf-8", newline="\n") as f:
        f.write("{" + f'"made_by": {json.dumps(truth["made_by"])}')
        for key in ("own", "wgs84"):
            lines = (json.dumps(rounded(r)) for r in truth[key] if all(map(math.isfinite, r)))
            f.write(f',\n"{key}": [\n' + ",\n".join(lines) + "\n]")
        f.write("}\n")


if __name__ == "__main__":
    main()
