"""What GDAL and PROJ say of GeoTIFFs, a JSON line a file: the truth that `make fidelity` measures against.

Needs rasterio, pyproj and rio-cogeo from PyPI. The lines have the fields of truth.jsonl that internal/fidelity reads.
"""

import ctypes
import glob
import json
import logging
import math
import os
import re
import struct
import warnings

import numpy as np
import pyproj
import rasterio
from rio_cogeo.cogeo import cog_validate

logging.disable(logging.CRITICAL)
warnings.filterwarnings("ignore")

EDGE = 500  # points along each edge of an outline
WGS84 = pyproj.CRS("OGC:CRS84")
CYLINDRICAL = re.compile("^None$|Mercator|Cylindrical|Equirectangular|Miller|Gall", re.I)  # whose x may run on beyond 180 degrees
GDAL_TYPES = {
    "uint8": "Byte", "int8": "Int8", "uint16": "UInt16", "int16": "Int16", "uint32": "UInt32", "int32": "Int32",
    "uint64": "UInt64", "int64": "Int64", "float32": "Float32", "float64": "Float64", "complex_int16": "CInt16",
    "complex64": "CFloat32", "complex128": "CFloat64",
}


def rasters_under(folder):
    for where, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            if name.lower().endswith((".tif", ".tiff")):
                yield os.path.relpath(os.path.join(where, name), folder)


def beside(path):
    """The files beside a raster that have its stem: what GDAL may take for its sidecars."""
    where, name = os.path.split(path)
    stem = os.path.splitext(name)[0]
    return sorted(n for n in os.listdir(where or ".") if n != name and n.startswith(stem + ".")
                  and not n.lower().endswith((".tif", ".tiff")))


def truth_of(folder, file, sidecars=True):
    path = os.path.join(folder, file)
    row = {"file": file, "size": os.path.getsize(path), "gdal_opens": False, "georeferenced": False, "crs_kind": "none",
           "epsg": None, "epsg_autoid": None, "non_earth": False, "transform": None, "ring84_dense500": None, "gdal": {}, "beside": []}
    env = {} if sidecars else {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_PAM_ENABLED": "NO"}
    with rasterio.Env(**env):
        try:
            src = rasterio.open(path, driver="GTiff")
        except Exception:
            return row
        with src:
            row["beside"] = beside(path) if sidecars else []
            describe(row, src)
        row.update(zip(("cog_valid", "gdal_cog_errors"), cog(path)))
    return row


def cog(path):
    try:
        valid, errors, _ = cog_validate(path, quiet=True)
    except Exception as e:
        return False, [str(e)]
    return valid, errors


def patient(ask):
    """What ask returns; rasterio raises GDAL's complaints about other tags at whatever was asked for first."""
    for _ in range(20):
        try:
            return ask()
        except rasterio.errors.RasterioError:
            pass
        except rasterio._err.CPLE_BaseError:
            pass
    return ask()


def gdal_library():
    """The GDAL that rasterio's wheel brings, for what rasterio leaves out."""
    here = os.path.dirname(rasterio.__file__)
    found = glob.glob(os.path.join(here, "..", "rasterio.libs", "libgdal*")) + glob.glob(os.path.join(here, ".dylibs", "libgdal*"))
    lib = ctypes.CDLL(found[0])
    for name, result, arguments in (
        ("GDALOpen", ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_int)), ("GDALClose", ctypes.c_int, (ctypes.c_void_p,)),
        ("GDALGetRasterBand", ctypes.c_void_p, (ctypes.c_void_p, ctypes.c_int)),
        ("GDALGetRasterNoDataValue", ctypes.c_double, (ctypes.c_void_p, ctypes.POINTER(ctypes.c_int))),
        ("GDALGetRasterNoDataValueAsInt64", ctypes.c_int64, (ctypes.c_void_p, ctypes.POINTER(ctypes.c_int))),
        ("GDALGetRasterNoDataValueAsUInt64", ctypes.c_uint64, (ctypes.c_void_p, ctypes.POINTER(ctypes.c_int))),
    ):
        getattr(lib, name).restype, getattr(lib, name).argtypes = result, arguments
    return lib


def nodata_of(src, types):
    """The nodata values as GDAL has them: rasterio hides those that do not fit the bands' types."""
    lib, out = gdal_library(), []
    dataset = lib.GDALOpen(src.name.encode(), 0)
    for i, kind in enumerate(types[:64], 1):
        there = ctypes.c_int()
        ask = {"Int64": lib.GDALGetRasterNoDataValueAsInt64, "UInt64": lib.GDALGetRasterNoDataValueAsUInt64}.get(kind, lib.GDALGetRasterNoDataValue)
        value = ask(lib.GDALGetRasterBand(dataset, i), ctypes.byref(there))
        out.append(number(value) if there.value else None)
    lib.GDALClose(dataset)
    return out


def transform_of(src):
    """GDAL's geotransform, or None where it has none, which rasterio tells by a warning and an identity."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        t = list(src.read_transform())
    named = tags_of(src.name).keys() & {33550, 33922, 34264}
    if t == [0, 1, 0, 0, 0, 1] and (caught or not named or src.gcps[0]):
        return None
    return t


def describe(row, src):
    structure, tags = src.tags(ns="IMAGE_STRUCTURE"), tags_of(src.name)
    overviews = patient(lambda: [len(src.overviews(i)) for i in src.indexes[:64]])
    colors = patient(lambda: [c.name.capitalize() for c in src.colorinterp])
    types = [GDAL_TYPES[t] for t in src.dtypes]
    if tags.get(339) == 5 and types[0] == "CFloat32":
        types = ["CInt32"] * len(types)  # for which rasterio has no name
    nodata = nodata_of(src, types)
    bands = []
    for i in src.indexes[:64]:
        bands.append({
            "dtype": types[i - 1], "nodata": nodata[i - 1],
            "color": colors[i - 1], "mask_flags": sum(f.value for f in src.mask_flag_enums[i - 1]),
            "scale": number(src.scales[i - 1]), "offset": number(src.offsets[i - 1]), "unit": src.units[i - 1] or None,
            "description": src.descriptions[i - 1], "metadata": src.tags(i),
            "nbits": src.tags(i, ns="IMAGE_STRUCTURE").get("NBITS"), "pixeltype": None,
        })
    gcps, gcp_crs = src.gcps
    row.update(
        gdal_opens=True, dtypes=[b["dtype"] for b in bands], nodata=[b["nodata"] for b in bands],
        overview_count=max(overviews), transform=transform_of(src), is_tiled=322 in tags,
        block=[src.block_shapes[0][1], src.block_shapes[0][0]], compression=structure.get("COMPRESSION"),
        layout_cog=structure.get("LAYOUT") == "COG")
    row["gdal"] = gdal = {
        "width": src.width, "height": src.height, "bands_n": src.count, "bands": bands, "metadata": src.tags(),
        "gcp_count": len(gcps), "rpc": src.rpcs is not None, "crs": None, "image_structure": structure,
        "area_or_point": src.tags().get("AREA_OR_POINT"),
    }
    system = src.crs or gcp_crs
    if system:
        describe_crs(row, gdal, system)
    row["georeferenced"] = bool(src.crs) and row["transform"] is not None
    if not system:
        return
    shift, back = shifts(system)
    if shift is None:
        return
    if row["georeferenced"] and not row["non_earth"]:
        row["ring84_dense500"] = ring(shift, back, row["transform"], src.width, src.height)
    if gcps:
        lon, lat = shift.transform([g.x for g in gcps], [g.y for g in gcps])
        gdal["gcp_wgs84_bbox"] = [min(lon), min(lat), max(lon), max(lat)]


def shifts(system):
    """The transformations to and from WGS 84; None where PROJ knows none."""
    for version in "WKT2_2019", "WKT1_GDAL":
        try:
            crs = pyproj.CRS.from_wkt(system.to_wkt(version=version))
            return (pyproj.Transformer.from_crs(crs, WGS84, always_xy=True),
                    pyproj.Transformer.from_crs(WGS84, crs, always_xy=True))
        except (pyproj.exceptions.ProjError, rasterio.errors.RasterioError):
            pass
    return None, None


def tags_of(path):
    """The tags of the first IFD of a file that GDAL opens, with the first value of those that are short numbers."""
    with open(path, "rb") as f:
        head = f.read(16)
        order = "<" if head[:2] == b"II" else ">"
        big = struct.unpack(order + "H", head[2:4])[0] == 43
        f.seek(struct.unpack(order + "Q", head[8:16])[0] if big else struct.unpack(order + "I", head[4:8])[0])
        count = struct.unpack(order + "Q", f.read(8))[0] if big else struct.unpack(order + "H", f.read(2))[0]
        size = 20 if big else 12
        entries = f.read(count * size)
        tags = {}
        for i in range(0, len(entries) - size + 1, size):
            tag, kind = struct.unpack(order + "HH", entries[i:i + 4])
            n, value = struct.unpack(order + ("QQ" if big else "II"), entries[i + 4:i + size])
            tags[tag] = None
            if kind == 3 and n * 2 <= size - 4 - (8 if big else 4):
                tags[tag] = struct.unpack(order + "H", entries[i + size - (8 if big else 4):][:2])[0]
            elif kind == 3:
                f.seek(value)
                data = f.read(2)
                tags[tag] = struct.unpack(order + "H", data)[0] if len(data) == 2 else None
    return tags


def horizontal(definition):
    """The horizontal part of a PROJJSON CRS."""
    while True:
        if definition["type"] == "CompoundCRS":
            definition = definition["components"][0]
        elif definition["type"] == "BoundCRS":
            definition = definition["source_crs"]
        else:
            return definition


def describe_crs(row, gdal, system):
    try:
        crs = pyproj.CRS.from_wkt(system.to_wkt(version="WKT2_2019"))
    except Exception:
        crs = None
    if crs is None:
        row["crs_kind"] = "user-defined"
        gdal["crs"] = {"name": str(system)[:100], "type": "other", "method": None, "ellipsoid": None}
        return
    definition = crs.to_json_dict()
    flat = horizontal(definition)
    ident = flat.get("id") or {}
    if definition["type"] == "CompoundCRS" and not ident:  # named as a whole
        code = (definition.get("id") or {}).get("code")
        parts = pyproj.CRS.from_user_input(code).sub_crs_list if code else crs.sub_crs_list
        ident = parts[0].to_json_dict().get("id") or {}
    if ident.get("authority") == "EPSG":
        row["crs_kind"], row["epsg"] = "epsg", ident["code"]
    elif (code := system.to_epsg(confidence_threshold=90)) is not None:
        row["crs_kind"], row["epsg_autoid"] = "match90", code
    else:
        row["crs_kind"] = "user-defined"
    ellipsoid = crs.ellipsoid
    body = ellipsoid.semi_major_metre if ellipsoid else 6378137
    row["non_earth"] = not 6.3e6 < body < 6.4e6
    try:
        method = re.search(r'PROJECTION\["([^"]*)"', system.to_wkt(version="WKT1_GDAL"))
    except Exception:
        method = None
    vertical = definition["components"][1]["name"] if definition["type"] == "CompoundCRS" else None
    flat_type = flat["type"]
    gdal["crs"] = {
        "name": crs.name, "type": {"ProjectedCRS": "projected", "GeographicCRS": "geographic"}.get(flat_type, flat_type),
        "method": method[1] if method else flat.get("conversion", {}).get("method", {}).get("name"),
        "ellipsoid": [ellipsoid.name, ellipsoid.semi_major_metre, ellipsoid.inverse_flattening] if ellipsoid else None,
        "vertical": vertical, "parameters": parameters(flat), "unit_factor": crs.axis_info[0].unit_conversion_factor,
    }


def parameters(flat):
    """The parameters of a conversion in degrees, metres and ratios by PROJ's names."""
    out = {}
    for p in flat.get("conversion", {}).get("parameters", []):
        unit = p.get("unit")
        factor = 1
        if isinstance(unit, dict):
            factor = unit["conversion_factor"] * (180 / math.pi if unit["type"] == "AngularUnit" else 1)
        out[p["name"]] = p["value"] * factor
    return out


def ring(shift, back, t, width, height):
    """The outline of a raster in longitude and latitude, densely sampled, and what is odd about it."""
    s = np.linspace(0, 1, EDGE, endpoint=False)
    one, nil = np.ones(EDGE), np.zeros(EDGE)
    col = np.concatenate([s, one, 1 - s, nil, [0]]) * width
    row = np.concatenate([nil, s, one, 1 - s, [0]]) * height
    x, y = t[0] + col * t[1] + row * t[2], t[3] + col * t[4] + row * t[5]
    lon, lat = (np.asarray(v) for v in shift.transform(x, y))
    good = np.isfinite(lon) & np.isfinite(lat)
    if not CYLINDRICAL.search(str(shift.source_crs.coordinate_operation)):
        # PROJ wraps what is off the Earth round it: such places do not come back to where they were.
        pixel = max(abs(v) for v in (t[1], t[2], t[4], t[5]))
        x2, y2 = (np.asarray(v) for v in back.transform(lon, lat))
        with np.errstate(invalid="ignore"):
            good &= np.hypot(x2 - x, y2 - y) < pixel + 0.001 * pixel * max(width, height)
    if not good.any():
        return {"bad_points": int((~good).sum()), "winding": 0, "bounds": None}
    lon, lat = lon[good], lat[good]
    steps = (np.diff(lon) + 180) % 360 - 180
    if shift.source_crs.is_geographic:
        steps = np.diff(lon)  # nothing is cut: a step of 360 is a step of 360
        steps = np.where(np.abs(steps) > 300, (steps + 180) % 360 - 180, steps)
    lon = np.concatenate([[lon[0]], lon[0] + np.cumsum(steps)])
    west, east, south, north = (float(v) for v in (lon.min(), lon.max(), lat.min(), lat.max()))
    winding = round(float(lon[-1] - lon[0]) / 360) if good.all() else 0
    out = {"bad_points": int((~good).sum()), "winding": winding, "south": south, "north": north,
           "west_unwrapped": west, "east_unwrapped": east}
    poles = {} if shift.source_crs.is_geographic else {"N": at_pole(back, t, width, height, 90), "S": at_pole(back, t, width, height, -90)}
    if "outline" in poles.values():
        return around(shift, t, width, height, out)
    poles = [name for name, where in poles.items() if where == "inside"]
    if winding:
        for name in poles:
            out["pole"] = name
            south, north = (south, 90) if name == "N" else (-90, north)
        out["bounds"] = [-180, south, 180, north]
    elif east - west >= 360 - 1e-6:
        out["full_circle"] = True
        out["bounds"] = [-180, south, 180, north]
    else:
        turn = lambda v: (v + 180) % 360 - 180
        w, e = turn(west), turn(east)
        if e == -180:
            e = 180.0
        out["crosses_antimeridian"] = bool(w > e)
        out["bounds"] = [w, south, e, north]
    return out


def at_pole(back, t, width, height, lat):
    """Whether a pole lies inside a raster, on its outline, or outside."""
    x, y = back.transform(0, lat)
    if not (math.isfinite(x) and math.isfinite(y)):
        return "outside"
    col, row = ~rasterio.Affine.from_gdal(*t) * (x, y)
    near = min(abs(col), abs(col - width), abs(row), abs(row - height)) < 1e-6
    if not (-1e-6 < col < width + 1e-6 and -1e-6 < row < height + 1e-6):
        return "outside"
    return "outline" if near else "inside"


def around(shift, t, width, height, out):
    """The bounds of a raster with a pole on its outline, where longitudes jump: those of its pixels, but for the widest gap between them."""
    col, row = np.meshgrid(np.linspace(0, width, 401), np.linspace(0, height, 401))
    lon, lat = (np.asarray(v).ravel() for v in shift.transform(t[0] + col * t[1] + row * t[2], t[3] + col * t[4] + row * t[5]))
    on_earth = np.isfinite(lon)
    off_pole = on_earth & (np.abs(lat) < 90 - 1e-6)
    lons = np.sort(lon[off_pole] % 360)
    gaps = np.diff(np.append(lons, lons[0] + 360))
    widest = int(gaps.argmax())
    west, east = float(lons[(widest + 1) % len(lons)]), float(lons[widest])
    east += 360 if east < west else 0
    turn = lambda v, inwards: (v + inwards + 180) % 360 - 180 - inwards
    w, e = turn(west, 1e-9), turn(east, -1e-9)
    out.update(winding=0, west_unwrapped=west, east_unwrapped=east, south=float(lat[on_earth].min()), north=float(lat[on_earth].max()),
               crosses_antimeridian=w > e, bounds=[w, float(lat[on_earth].min()), e, float(lat[on_earth].max())])
    return out


def number(v):
    """A number as JSON has it; those that are not finite as text, as the corpus has them."""
    if v is None:
        return None
    v = float(v)
    return v if math.isfinite(v) else str(v)


def write(folder, sidecars=True):
    """Writes folder/truth.jsonl and returns the number of its rows."""
    n = 0
    with open(os.path.join(folder, "truth.jsonl"), "w", encoding="utf-8") as out:
        for file in rasters_under(folder):
            out.write(json.dumps(truth_of(folder, file, sidecars)) + "\n")
            n += 1
    return n
