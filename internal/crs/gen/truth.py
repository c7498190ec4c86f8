"""Writes ../testdata/truth.tsv.gz: what PROJ makes of points in every CRS of the EPSG dataset.

    pip install pyproj==3.7.2
    python3 internal/crs/gen/truth.py

It uses pyproj alone, without any grid. x and y are in the CRS's units and in the order of GDAL and of always_xy, degrees are from
Greenwich. Lines begin with a letter:

    g  a geographic CRS: code, x, y, longitude and latitude on WGS 84
    h  the same of a deprecated one
    p  a projected CRS, within its area of use: code, x, y, longitude and latitude on its own datum, what is to be added to them on
       WGS 84 in units of 1e-7 degrees
    d  the same of a deprecated one
    o  a projected CRS, outside of its area of use: code, x, y, longitude and latitude on its own datum; without these where there is
       no place that PROJ projects to x and y

On WGS 84 is by the operation that PROJ prefers at that place.
"""

import gzip
import math
import os
import random
import warnings
from collections import defaultdict

import numpy
import pyproj
from projdb import open_db
from pyproj import CRS, Transformer

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLE = 6  # CRSs of a method that are looked at far outside of their area of use
CLOSE = 1e-3  # metres, for PROJ's way there and back
ROLLED = (1024, 1026, 1028, 1029, 9804, 9805, 9823, 9834, 9835, 9841, 9842)  # methods whose maps go on all round the Earth


def area(crs):
    use = crs.area_of_use
    w, s, e, n = use.bounds if use and use.west >= -180 else (-10, 40, 10, 50)
    return w, s, e + (360 if e < w else 0), n


def spots(box, steps=8):
    """Longitudes and latitudes in a box, from its middle outwards."""
    w, s, e, n = box
    shares = [(i / steps, j / steps) for i in range(1, steps) for j in range(1, steps)]
    shares.sort(key=lambda p: math.hypot(p[0] - 0.5, p[1] - 0.5))
    return [(w + (e - w) * u, s + (n - s) * v) for u, v in shares]


def text(*values, digits=9):
    return "\t".join(f"{v:.{digits}f}".rstrip("0").rstrip(".") if isinstance(v, float) else str(v) for v in values)


def meridian_and_unit(geographic):
    prime = geographic.prime_meridian
    unit = geographic.axis_info[0].unit_conversion_factor
    return math.degrees(prime.longitude * prime.unit_conversion_factor), math.degrees(unit)


def geographic(code):
    """The first place where PROJ has an operation that moves the point, else the middle one."""
    crs = CRS.from_epsg(code)
    meridian, unit = meridian_and_unit(crs)
    to84 = Transformer.from_crs(crs, 4326, always_xy=True)
    first = None
    for lon, lat in spots(area(crs)):
        x, y = round((lon - meridian) / unit, 4), round(lat / unit, 4)
        got = to84.transform(x, y)
        first = first or (x, y, *got)
        if abs(got[1] - y * unit) > 1e-9:
            return code, x, y, *got
    return code, *first


class Projected:
    """A projected CRS, with what PROJ cannot do of it by code done by its projections."""

    def __init__(self, code, method):
        self.crs = CRS.from_epsg(code)
        self.base = self.crs.geodetic_crs
        self.meridian, self.degree = meridian_and_unit(self.base)
        self.unit = self.crs.axis_info[0].unit_conversion_factor
        self.digits = 3 if self.unit > 10 else 0
        self.method = method
        try:
            t = Transformer.from_crs(self.crs, self.base, always_xy=True)
            self.there, self.back = t.transform, lambda x, y: t.transform(x, y, direction="INVERSE")
            self.to84 = Transformer.from_crs(self.crs, 4326, always_xy=True).transform
        except pyproj.exceptions.ProjError:
            self.by_hand(method)
            to84 = Transformer.from_crs(self.base, 4326, always_xy=True).transform
            self.to84 = lambda x, y: to84(*self.there(x, y))

    def by_hand(self, method):
        p = {q.code: q.value * q.unit_conversion_factor for q in self.crs.coordinate_operation.params}
        deg = {k: math.degrees(v) for k, v in p.items()}
        e = self.base.ellipsoid
        figure = {"a": e.semi_major_metre, "rf": e.inverse_flattening}
        grads = self.degree

        def make(**kw):
            t = pyproj.Proj(**kw, **figure)
            return t, lambda x, y: tuple(v / grads for v in t(x, y, inverse=True)), lambda lon, lat: t(lon * grads, lat * grads)

        if method == 9826:
            _, inv, fwd = make(proj="lcc", lat_1=deg["8801"], lat_0=deg["8801"], lon_0=deg["8802"], k_0=p["8805"], y_0=p["8807"])
            west, swap = p["8806"], self.crs.axis_info[0].direction == "north"
            order = (lambda a, b: (b, a)) if swap else (lambda a, b: (a, b))

            def there(x, y):
                x, y = order(x, y)
                return inv(west - x, y)

            def back(lon, lat):
                x, y = fwd(lon, lat)
                return order(west - x, y)
        elif method == 9828:  # southing and westing
            _, inv, fwd = make(proj="bonne", lat_1=deg["8801"], lon_0=deg["8802"])
            there = lambda x, y: inv(p["8806"] - y, p["8807"] - x)
            back = lambda lon, lat: tuple(a - b for a, b in zip((p["8807"], p["8806"]), reversed(fwd(lon, lat))))
        elif method == 9817:
            _, there, back = make(proj="lcca", lat_0=deg["8801"], lon_0=deg["8802"], k_0=p["8805"], x_0=p["8806"], y_0=p["8807"])
        elif method == 9830:
            kw = dict(proj="stere", lat_0=math.copysign(90, deg["8832"]), lat_ts=deg["8832"], lon_0=deg["8833"])
            y = make(**kw)[2](deg["8833"], deg["8832"])[1]
            _, there, back = make(**kw, x_0=p["8826"], y_0=p["8827"] - y)
        elif method == 9824:
            zones = [make(proj="tmerc", lon_0=-183 + 6 * z, k_0=p["8805"], x_0=p["8806"], y_0=p["8807"]) for z in range(1, 61)]
            there = lambda x, y: zones[int(x / 1e6) - 1][1](x % 1e6, y) if 1e6 <= x < 61e6 else (math.inf, math.inf)

            def back(lon, lat):
                z = min(max(int((lon + 180) // 6), 0), 59)
                x, y = zones[z][2](lon, lat)
                return x + 1e6 * (z + 1), y
        else:
            raise ValueError(f"method {method}")
        self.there, self.back = there, back

    def inside(self, lon, lat):
        """A line for a place, or None where PROJ has no answer."""
        x, y = self.back((lon - self.meridian) / self.degree, lat / self.degree)
        if not (math.isfinite(x) and math.isfinite(y)):
            return None
        x, y = round(x, self.digits), round(y, self.digits)
        own = self.on_datum(x, y)
        if own is None:
            return None
        to84 = self.to84(x, y)
        shift = [round(((a - b + 180) % 360 - 180) * 1e7) if math.isfinite(a) else 0 for a, b in zip(to84, own)]
        return text(x + 0.0, y + 0.0, *own, *shift)

    def on_datum(self, x, y):
        """Longitude and latitude that PROJ projects to x and y, or None."""
        turns = 0
        if self.method in ROLLED:
            (lon0,) = (q.value for q in self.crs.coordinate_operation.params if q.code in ("8802", "8822"))
            origin, step = self.back(lon0, 0)[0], self.back(lon0 + 1, 0)[0]
            turns = round((x - origin) / (360 / self.degree * (step - origin)))
            x -= turns * 360 / self.degree * (step - origin)
        lon, lat = self.there(x, y)
        if not self.is_at(lon, lat, x, y):
            lon, lat = self.search(lon, lat, x, y)
            if not self.is_at(lon, lat, x, y):
                return None
        return lon * self.degree + self.meridian + 360 * turns, lat * self.degree

    def is_at(self, lon, lat, x, y):
        if not (math.isfinite(lon) and math.isfinite(lat)):
            return False
        back = self.back(lon, lat)
        return math.hypot(back[0] - x, back[1] - y) * self.unit < CLOSE + 1e-10 * math.hypot(x, y) * self.unit

    def search(self, lon0, lat0, x, y):
        """By Newton's iteration on PROJ's way forth, from PROJ's way back and from the nearest of places all over the Earth."""
        lon, lat = (v.ravel() / self.degree for v in numpy.meshgrid(numpy.arange(-177.5, 180, 5), numpy.arange(-87.5, 90, 5)))
        try:
            px, py = self.back(lon, lat)
        except TypeError:  # projections by hand take one place at a time
            return math.inf, math.inf
        away = numpy.hypot(px - x, py - y)
        near = numpy.argsort(numpy.where(numpy.isfinite(away), away, math.inf))[:8]
        for start in [(lon0, lat0), *zip(lon[near], lat[near])]:
            at = numpy.array(start)
            for _ in range(30):
                h = 1e-6
                here = numpy.array(self.back(*at))
                slope = numpy.array([self.back(at[0] + h, at[1]) - here, self.back(at[0], at[1] + h) - here]).T / h
                if not numpy.isfinite(slope).all() or abs(numpy.linalg.det(slope)) < 1e-12:
                    break
                step = numpy.linalg.solve(slope, numpy.array([x, y]) - here)
                at = at + step * min(1, 10 / max(abs(step)))
                if abs(at[1]) * self.degree > 90:
                    break
                if max(abs(step)) < 1e-12:
                    break
            if abs(at[1]) * self.degree <= 90 and self.is_at(*at, x, y):
                return tuple(at)
        return math.inf, math.inf

    def corners(self, by):
        """Those of a raster that is larger than the area of use by a factor."""
        w, s, e, n = area(self.crs)
        xs, ys = [], []
        for i in range(17):
            for lon, lat in ((w, s + (n - s) * i / 16), (e, s + (n - s) * i / 16), (w + (e - w) * i / 16, s), (w + (e - w) * i / 16, n)):
                x, y = self.back((lon - self.meridian) / self.degree, lat / self.degree)
                if math.isfinite(x) and math.isfinite(y):
                    xs.append(x), ys.append(y)
        if not xs:
            return
        x0, x1, y0, y1 = min(xs), max(xs), min(ys), max(ys)
        dx, dy = (x1 - x0) * (by - 1) / 2, (y1 - y0) * (by - 1) / 2
        for x in (x0 - dx, x1 + dx):
            for y in (y0 - dy, y1 + dy):
                yield round(x, self.digits), round(y, self.digits)

    def outside(self, x, y):
        return text(x + 0.0, y + 0.0, *(self.on_datum(x, y) or ()))


def main():
    warnings.filterwarnings("ignore")
    pyproj.network.set_network_enabled(False)
    pick = random.Random(9807)
    db = open_db()
    lines = [f"made by gen/truth.py with PROJ {pyproj.proj_version_str}"]
    for code, deprecated in db.execute(
        "SELECT code, deprecated FROM geodetic_crs WHERE auth_name = 'EPSG' AND type = 'geographic 2D' ORDER BY code"
    ):
        row = geographic(code)
        if all(map(math.isfinite, row)):
            lines.append(("h\t" if deprecated else "g\t") + text(*row))
    looked_at = defaultdict(int)
    for code, method, deprecated in db.execute(
        """SELECT p.code, c.method_code, p.deprecated FROM projected_crs p
           JOIN conversion_table c ON c.auth_name = p.conversion_auth_name AND c.code = p.conversion_code
           WHERE p.auth_name = 'EPSG' ORDER BY p.code"""
    ):
        try:
            crs = Projected(code, method)
        except (ValueError, pyproj.exceptions.CRSError) as problem:
            print(f"{code}: {problem}")
            continue
        places = spots(area(crs.crs))
        chosen = places[:1] + ([] if deprecated else pick.sample(places[1:], len(places) - 1))
        found = []
        for place in chosen:
            line = crs.inside(*place)
            if line:
                found.append(("d" if deprecated else "p") + f"\t{code}\t{line}")
            if len(found) == 2:
                break
        if not found:
            print(f"{code}: no place of its area of use")
        lines += found
        looked_at[method] += 1
        far = list(crs.corners(1.5))
        if looked_at[method] > SAMPLE:
            far = pick.sample(far, 0 if deprecated or looked_at[method] % 3 else 1)
        else:
            far += [*crs.corners(4), *crs.corners(20), *crs.corners(200)]
        lines += [f"o\t{code}\t{crs.outside(x, y)}" for x, y in far]
    path = os.path.join(HERE, "..", "testdata", "truth.tsv.gz")
    with open(path, "wb") as f, gzip.GzipFile("", "wb", 9, f, mtime=0) as z:
        z.write(("\n".join(lines) + "\n").encode())


if __name__ == "__main__":
    main()
