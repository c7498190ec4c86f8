"""Writes ../testdata/methods.json: what PROJ makes of places all over the domain of projection methods, far beyond
their usual areas.

    pip install pyproj==3.7.2
    python3 internal/crs/gen/methods.py [FILE [POINTS]]

Each case is a method with parameter values in the order in which it takes them, on an ellipsoid. `on` holds [x, y,
longitude, latitude] by PROJ's projection of the place, `off` holds [x, y] which PROJ does not take for a place, or not
for one that is there.
"""

import json
import math
import os
import random
import sys
import warnings

from pyproj import CRS, Transformer

HERE = os.path.dirname(os.path.abspath(__file__))

WGS84 = (6378137, 298.257223563)
INTL = (6378388, 297)
BESSEL = (6377397.155, 299.1528128)
CLARKE = (6378206.4, 294.978698213898)
SPHERE = (6371007.181, 0)
EASE = (6371228, 0)

PARAMS = {
    "lat": ("Latitude of natural origin", 8801, "degree"),
    "lon": ("Longitude of natural origin", 8802, "degree"),
    "k": ("Scale factor at natural origin", 8805, "unity"),
    "fe": ("False easting", 8806, "metre"),
    "fn": ("False northing", 8807, "metre"),
    "latc": ("Latitude of projection centre", 8811, "degree"),
    "lonc": ("Longitude of projection centre", 8812, "degree"),
    "az": ("Azimuth at projection centre", 8813, "degree"),
    "skew": ("Angle from Rectified to Skew Grid", 8814, "degree"),
    "kc": ("Scale factor at projection centre", 8815, "unity"),
    "ec": ("Easting at projection centre", 8816, "metre"),
    "nc": ("Northing at projection centre", 8817, "metre"),
    "lat1": ("Latitude of 1st standard parallel", 8823, "degree"),
    "latp": ("Latitude of standard parallel", 8832, "degree"),
    "lono": ("Longitude of origin", 8833, "degree"),
    "colat": ("Co-latitude of cone axis", 1036, "degree"),
    "latq": ("Latitude of pseudo standard parallel", 8818, "degree"),
    "kq": ("Scale factor on pseudo standard parallel", 8819, "unity"),
    "h": ("Satellite Height", None, "metre"),
    "h0": ("Projection plane origin height", 1039, "metre"),
}

WORLD = "lon fe fn"
PLACE = "lat lon fe fn"
SCALED = "lat lon k fe fn"
HOTINE_A = "latc lonc az skew kc fe fn"
HOTINE_B = "latc lonc az skew kc ec nc"
KROVAK = "latc lono colat latq kq fe fn"

# Name, code, parameters, their values, ellipsoid, and the middle and half the size in degrees of what is looked at.
CASES = [
    ("Mercator (variant A)", 9804, SCALED, (0, 110, 0.997, 3900000, 900000), BESSEL, (110, 0, 180, 89.9)),
    ("Mercator (variant A)", 9804, SCALED, (0, -150, 1, 0, 0), SPHERE, (-150, 0, 180, 89.9)),
    ("Mercator (variant B)", 9805, "lat1 lon fe fn", (-41, 100, 11, -22), WGS84, (100, 0, 180, 89.9)),
    ("Mercator (variant B)", 9805, "lat1 lon fe fn", (42, 51, 0, 0), SPHERE, (51, 0, 180, 89.9)),
    ("Equidistant Cylindrical (Spherical)", 1029, "lat1 lat lon fe fn", (40, 0, 20, 5, 6), WGS84, (20, 0, 180, 90)),
    ("Equidistant Cylindrical (Spherical)", 1029, "lat1 lat lon fe fn", (-40, 12, 0, 5, 6), SPHERE, (0, 0, 180, 90)),
    ("Equidistant Cylindrical", 1028, "lat1 lat lon fe fn", (30, 0, 0, 0, 0), SPHERE, (0, 0, 180, 90)),
    ("Lambert Cylindrical Equal Area", 9835, "lat1 lon fe fn", (30, -50, 0, 0), WGS84, (-50, 0, 180, 90)),
    ("Lambert Cylindrical Equal Area", 9835, "lat1 lon fe fn", (-30, 170, 10, 20), SPHERE, (170, 0, 180, 90)),
    ("Lambert Cylindrical Equal Area (Spherical)", 9834, "lat1 lon fe fn", (30, 0, 0, 0), WGS84, (0, 0, 180, 90)),
    ("Miller Cylindrical", 0, WORLD, (10, 1, 2), WGS84, (10, 0, 180, 90)),
    ("Gall Stereographic", 0, WORLD, (10, 1, 2), WGS84, (10, 0, 180, 90)),
    ("Equal Earth", 1078, WORLD, (150, 1, 2), WGS84, (150, 0, 180, 90)),
    ("Equal Earth", 1078, WORLD, (-90, 1, 2), SPHERE, (-90, 0, 180, 90)),
    ("Polar Stereographic (variant A)", 9810, SCALED, (90, 0, 0.994, 2000000, 2000000), WGS84, (0, 0, 180, 90)),
    ("Polar Stereographic (variant A)", 9810, SCALED, (-90, 70, 0.994, 2000000, 2000000), WGS84, (0, 0, 180, 90)),
    ("Polar Stereographic (variant A)", 9810, SCALED, (90, -45, 0.93, 0, 0), SPHERE, (0, 0, 180, 90)),
    ("Polar Stereographic (variant B)", 9829, "latp lono fe fn", (-71, 70, 6000000, 6000000), WGS84, (0, 0, 180, 90)),
    ("Polar Stereographic (variant B)", 9829, "latp lono fe fn", (70, -45, 0, 0), CLARKE, (0, 0, 180, 90)),
    ("Polar Stereographic (variant B)", 9829, "latp lono fe fn", (90, -45, 0, 0), WGS84, (0, 0, 180, 90)),
    ("Oblique Stereographic", 9809, SCALED, (52.1561605555556, 5.38763888888889, 0.9999079, 155000, 463000), BESSEL, (0, 0, 180, 90)),
    ("Oblique Stereographic", 9809, SCALED, (-46.5, -66.5, 0.999912, 2500000, 7500000), WGS84, (0, 0, 180, 90)),
    ("Oblique Stereographic", 9809, SCALED, (0, 20, 1, 0, 0), SPHERE, (0, 0, 180, 90)),
    ("Stereographic", 0, SCALED, (47, 19, 0.9, 10, 20), WGS84, (0, 0, 180, 90)),
    ("Stereographic", 0, SCALED, (0, 19, 1, 10, 20), WGS84, (0, 0, 180, 90)),
    ("Stereographic", 0, SCALED, (-70, -100, 1, 10, 20), SPHERE, (0, 0, 180, 90)),
    ("Lambert Azimuthal Equal Area", 9820, PLACE, (52, 10, 4321000, 3210000), WGS84, (0, 0, 180, 90)),
    ("Lambert Azimuthal Equal Area", 9820, PLACE, (0, 20, 0, 0), WGS84, (0, 0, 180, 90)),
    ("Lambert Azimuthal Equal Area", 9820, PLACE, (90, 0, 0, 0), WGS84, (0, 0, 180, 90)),
    ("Lambert Azimuthal Equal Area", 9820, PLACE, (-90, 30, 1, 2), WGS84, (0, 0, 180, 90)),
    ("Lambert Azimuthal Equal Area", 9820, PLACE, (-12, -60, 0, 0), SPHERE, (0, 0, 180, 90)),
    ("Lambert Azimuthal Equal Area (Spherical)", 1027, PLACE, (45, -100, 0, 0), CLARKE, (0, 0, 180, 90)),
    ("Lambert Azimuthal Equal Area (Spherical)", 1027, PLACE, (-90, 0, 0, 0), EASE, (0, 0, 180, 90)),
    ("Azimuthal Equidistant", 1125, PLACE, (8.5, 21.5, 5621452, 5990638), WGS84, (0, 0, 180, 90)),
    ("Azimuthal Equidistant", 1125, PLACE, (-47, -94, 1, 2), WGS84, (0, 0, 180, 90)),
    ("Azimuthal Equidistant", 1125, PLACE, (90, 10, 1, 2), WGS84, (0, 0, 180, 90)),
    ("Azimuthal Equidistant", 1125, PLACE, (-90, 0, 0, 0), WGS84, (0, 0, 180, 90)),
    ("Azimuthal Equidistant", 1125, PLACE, (0, 0, 0, 0), INTL, (0, 0, 180, 90)),
    ("Azimuthal Equidistant", 1125, PLACE, (30, 120, 0, 0), SPHERE, (0, 0, 180, 90)),
    ("Modified Azimuthal Equidistant", 9832, PLACE, (9.54670833333333, 138.168744444444, 40000, 60000), CLARKE, (138, 9, 20, 20)),
    ("Guam Projection", 9831, PLACE, (13.4724663527778, 144.748750705556, 50000, 50000), CLARKE, (144.75, 13.5, 2, 2)),
    ("Gnomonic", 0, PLACE, (40, 20, 1, 2), SPHERE, (20, 40, 60, 50)),
    ("Orthographic", 9840, PLACE, (55, 5, 1, 2), WGS84, (5, 40, 180, 90)),
    ("Orthographic", 9840, PLACE, (0, -100, 1, 2), WGS84, (-100, 0, 89, 89)),
    ("Orthographic", 9840, PLACE, (-90, 0, 0, 0), WGS84, (0, -45, 180, 45)),
    ("Orthographic (Spherical)", 0, PLACE, (30, 0, 0, 0), WGS84, (0, 30, 180, 90)),
    ("Local Orthographic", 1130, "latc lonc az kc ec nc", (37.6289686531, -122.3939412704, 27.7928209333, 0.9999968, 0, 0), WGS84,
     (-122, 37, 60, 50)),
    ("Hotine Oblique Mercator (variant A)", 9812, HOTINE_A,
     (57, -133.666666666667, 323.130102361111, 323.130102361111, 0.9999, 5000000, -5000000), CLARKE, (-133, 57, 90, 80)),
    ("Hotine Oblique Mercator (variant A)", 9812, HOTINE_A, (45.3091666666667, -86, 337.25556, 337.25556, 0.9996, 2546731.496, -4354009.816),
     WGS84, (-86, 45, 90, 80)),
    ("Hotine Oblique Mercator (variant B)", 9815, HOTINE_B, (4, 115, 53.3158204722222, 53.1301023611111, 0.99984, 590476.87, 442857.65),
     INTL, (115, 4, 90, 80)),
    ("Hotine Oblique Mercator (variant B)", 9815, HOTINE_B, (-18.9, 44.1, 18.9, 18.9, 0.9995, 400000, 800000), INTL, (44, -19, 80, 60)),
    ("Hotine Oblique Mercator (variant B)", 9815, HOTINE_B, (46.9524055555556, 7.43958333333333, 90, 90, 1, 2600000, 1200000), BESSEL,
     (7, 47, 80, 40)),
    ("Hotine Oblique Mercator (variant B)", 9815, HOTINE_B, (0, 10, 60, 30, 1, 0, 0), SPHERE, (10, 0, 80, 80)),
    ("Laborde Oblique Mercator", 9813, "latc lonc az kc fe fn", (-18.9, 46.4372291666667, 18.9, 0.9995, 400000, 800000), INTL,
     (46.5, -19, 4, 7)),
    ("Krovak", 9819, KROVAK, (49.5, 24.8333333333333, 30.2881397527778, 78.5, 0.9999, 0, 0), BESSEL, (17, 49, 60, 35)),
    ("Krovak (North Orientated)", 1041, KROVAK, (49.5, 24.8333333333333, 30.2881397527778, 78.5, 0.9999, 0, 0), BESSEL, (17, 49, 60, 35)),
    ("Krovak Modified", 1042, KROVAK, (49.5, 24.8333333333333, 30.2881397527778, 78.5, 0.9999, 5000000, 5000000), BESSEL, (16, 50, 6, 3)),
    ("Krovak Modified (North Orientated)", 1043, KROVAK, (49.5, 24.8333333333333, 30.2881397527778, 78.5, 0.9999, 5000000, 5000000), BESSEL,
     (16, 50, 6, 3)),
    ("New Zealand Map Grid", 9811, PLACE, (-41, 173, 2510000, 6023150), INTL, (173, -41, 8, 8)),
    ("Colombia Urban", 1052, "lat lon fe fn h0", (4.68048611111111, -74.1465916666667, 92334.879, 109320.965, 2550), WGS84,
     (-74.15, 4.68, 0.6, 0.6)),
    ("Sinusoidal", 0, WORLD, (0, 0, 0), SPHERE, (0, 0, 180, 90)),
    ("Sinusoidal", 0, WORLD, (-60, 100, 200), WGS84, (-60, 0, 180, 90)),
    ("Geostationary Satellite (Sweep Y)", 0, "lon h fe fn", (0, 35785831, 0, 0), (6378169, 295.488065897014), (0, 0, 75, 75)),
    ("Geostationary Satellite (Sweep X)", 0, "lon h fe fn", (-75, 35786023, 0, 0), WGS84, (-75, 0, 75, 75)),
    ("Geostationary Satellite (Sweep X)", 0, "lon h fe fn", (140.7, 35785863, 10, 20), SPHERE, (140.7, 0, 75, 75)),
    ("Gauss Schreiber Transverse Mercator", 0, SCALED, (-21.1166666666667, 55.5333333333333, 1, 160000, 50000), INTL, (55, 0, 80, 85)),
]
CASES += [(name, 0, WORLD, (12, 100, -200), WGS84, (12, 0, 180, 90)) for name in (
    "Mollweide", "Robinson", "Goode Homolosine", "Interrupted Goode Homolosine", "Eckert I", "Eckert II", "Eckert III", "Eckert IV", "Eckert V",
    "Eckert VI", "Wagner IV", "Natural Earth", "Quartic Authalic", "Times", "Aitoff", "Van Der Grinten")]
CASES += [
    ("Loximuthal", 0, PLACE, (40, -60, 1, 2), WGS84, (-60, 0, 180, 90)),
    ("Winkel I", 0, "lon lat1 fe fn", (0, 50.467, 1, 2), WGS84, (0, 0, 180, 90)),
    ("Winkel Tripel", 0, "lon lat1 fe fn", (0, 50.467, 1, 2), WGS84, (0, 0, 180, 90)),
    ("Winkel Tripel", 0, "lon lat1 fe fn", (77, 40, 1, 2), SPHERE, (77, 0, 180, 90)),
]


# They go on beyond a turn of the Earth and, some, half a cell beyond a pole; PROJ brings longitudes back. (Its Swiss projection ends a
# quarter turn from the centre, where the one that it is a case of goes on.)
ROLLED = ("Mercator (variant A)", "Mercator (variant B)", "Equidistant Cylindrical", "Equidistant Cylindrical (Spherical)",
          "Lambert Cylindrical Equal Area", "Lambert Cylindrical Equal Area (Spherical)", "Miller Cylindrical", "Gall Stereographic")


def make(name, code, params, values, ellipsoid):
    """The CRS and the CRS that it is projected from."""
    a, rf = ellipsoid
    figure = {"name": "x", "semi_major_axis": a, "inverse_flattening": rf} if rf else {"name": "x", "radius": a}
    angular = [{"name": n, "abbreviation": b, "direction": d, "unit": "degree"}
               for n, b, d in (("Longitude", "lon", "east"), ("Latitude", "lat", "north"))]
    plane = [{"name": n, "abbreviation": n, "direction": d, "unit": "metre"} for n, d in (("E", "east"), ("N", "north"))]
    if name in ("Krovak", "Krovak Modified"):
        plane = [{"name": n, "abbreviation": n, "direction": d, "unit": "metre"} for n, d in (("X", "south"), ("Y", "west"))]
    base = {"type": "GeographicCRS", "name": "x",
            "datum": {"type": "GeodeticReferenceFrame", "name": "x", "ellipsoid": figure},
            "coordinate_system": {"subtype": "ellipsoidal", "axis": angular}}
    method = {"name": name}
    if code:
        method["id"] = {"authority": "EPSG", "code": code}
    parameters = []
    for key, value in zip(params.split(), values, strict=True):
        n, c, unit = PARAMS[key]
        parameters.append({"name": n, "value": value, "unit": unit, **({"id": {"authority": "EPSG", "code": c}} if c else {})})
    crs = {"type": "ProjectedCRS", "name": "x", "base_crs": base,
           "conversion": {"name": "x", "method": method, "parameters": parameters},
           "coordinate_system": {"subtype": "Cartesian", "axis": plane}}
    return CRS.from_json_dict(base), CRS.from_json_dict(crs)


def ground(lon, lat, lon2, lat2):
    d = (lon - lon2 + 180) % 360 - 180
    return 111320 * math.hypot(d * math.cos(math.radians(lat)), lat - lat2)


def case(name, code, params, values, ellipsoid, area, points, pick):
    base, crs = make(name, code, params, values, ellipsoid)
    there = Transformer.from_crs(base, crs, always_xy=True)
    lon0, lat0, dlon, dlat = area
    south, north = max(-90, lat0 - dlat), min(90, lat0 + dlat)
    on, off = [], []

    def project(lon, lat):
        x, y = there.transform(lon, lat)
        if not (math.isfinite(x) and math.isfinite(y)):
            return
        lon2, lat2 = there.transform(x, y, direction="INVERSE")
        # Places that PROJ itself does not find again are no truth: the far side of a view, the end of a series. Nor
        # are those at infinity.
        if math.isfinite(lon2) and ground(lon, lat, lon2, lat2) < 1 and math.hypot(x, y) < 1e9:
            on.append([x, y, round(lon, 9), round(lat, 9)])

    project(lon0, lat0)
    for lat in (south, north):
        project(lon0, lat)
    for lon in (lon0 - dlon, lon0 + dlon):
        project(lon * (1 - 1e-9), lat0)
    for _ in range(points):
        project(round(pick.uniform(lon0 - dlon, lon0 + dlon), 6), round(pick.uniform(south, north), 6))
    if not on:
        raise SystemExit(f"{name}: PROJ knows no place")
    xs, ys = sorted(p[0] for p in on), sorted(p[1] for p in on)
    few = len(on) // 20
    w, e, s, n = xs[few], xs[-1 - few], ys[few], ys[-1 - few]
    for _ in range(points):
        x = round(pick.uniform(1.25 * w - 0.25 * e, 1.25 * e - 0.25 * w), 2)
        y = round(pick.uniform(1.25 * s - 0.25 * n, 1.25 * n - 0.25 * s), 2)
        if name in ROLLED and (not xs[0] <= x <= xs[-1] or ys[0] - 1e6 < y < ys[-1] + 1e6) or values[2:4] == (90, 90):
            continue
        lon, lat = there.transform(x, y, direction="INVERSE")
        if math.isfinite(lon) and math.isfinite(lat):
            x2, y2 = there.transform(lon, lat)
            if math.hypot(x2 - x, y2 - y) < 1e4:
                continue
        off.append([x, y])
    return {"name": name, "code": code, "values": values, "ellipsoid": ellipsoid, "on": on, "off": off}


def main():
    warnings.filterwarnings("ignore")
    file = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "..", "testdata", "methods.json")
    points = int(sys.argv[2]) if len(sys.argv) > 2 else 16
    pick = random.Random(9811)
    with open(file, "w", encoding="utf-8", newline="\n") as f:
        f.write("[\n" + ",\n".join(json.dumps(case(*c, points, pick), separators=(",", ":")) for c in CASES) + "\n]\n")


if __name__ == "__main__":
    main()
