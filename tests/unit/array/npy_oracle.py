"""numpy as the oracle of test_npy.c.

    npy_oracle.py write FOLDER SEED        writes .npy files into FOLDER, and beside each NAME.npy the same numbers as NAME.raw: f64,
                                           little-endian, row by row; prints a line "NAME ROWS COLS DTYPE FORTRAN" for each
    npy_oracle.py check FILE DTYPE SHAPE RAW   exits 0 when FILE holds exactly the bytes of RAW as an array of that type and shape ("3x4")

Exits 77 when there is no numpy.
"""
import os
import sys

try:
    import numpy
    from numpy.lib import format as npy_format
except ImportError:
    sys.exit(77)


def write(folder, seed):
    random = numpy.random.default_rng(int(seed))

    def emit(name, array, version=None):
        with open(os.path.join(folder, name + ".npy"), "wb") as file:
            npy_format.write_array(file, array, version=version)
        array.astype("<f8").tofile(os.path.join(folder, name + ".raw"))  # always row by row
        rows = array.shape[0]
        cols = array.shape[1] if array.ndim > 1 else 1
        fortran = array.ndim > 1 and array.flags.f_contiguous and not array.flags.c_contiguous
        print(name, rows, cols, array.dtype.name, int(fortran))

    emit("one_by_one", numpy.array([[42.5]]))
    emit("zero_rows", numpy.zeros((0, 7)))
    emit("vector", random.normal(size=100))
    emit("vector_f32", random.normal(size=100).astype("<f4"))
    for version in ((1, 0), (2, 0), (3, 0)):
        emit("version_%d" % version[0], random.normal(size=(5, 3)), version)
    # Taller than one tile and wider than one group of columns of the reader, and not a multiple of either.
    emit("tall_fortran", numpy.asfortranarray(random.normal(size=(9001, 19))))
    emit("tall_fortran_f32", numpy.asfortranarray(random.normal(size=(9001, 19)).astype("<f4")))
    emit("tall_f32", random.normal(size=(9001, 19)).astype("<f4"))
    extremes = numpy.array([[0.0, -0.0, 5e-324, 2.2250738585072014e-308], [1.7976931348623157e308, -1.7976931348623157e308, 1e-45, 1.0]])
    emit("extremes", extremes)
    for i in range(20):
        shape = tuple(random.integers(1, (400, 40)))
        array = random.normal(size=shape).astype(random.choice(["<f4", "<f8"]))
        emit("random_%d" % i, numpy.asfortranarray(array) if random.integers(2) else array)


def write_refused(folder):
    refused = {
        "big_f8": numpy.ones((3, 2), ">f8"), "big_f4": numpy.ones((3, 2), ">f4"), "int64": numpy.ones((3, 2), "<i8"),
        "int32": numpy.ones((3, 2), "<i4"), "uint8": numpy.ones((3, 2), "u1"), "complex": numpy.ones((3, 2), "<c16"),
        "bool": numpy.ones((3, 2), "?"), "half": numpy.ones((3, 2), "<f2"), "text": numpy.array([["a", "bc"]]),
        "objects": numpy.array([[None, 1]], dtype=object), "records": numpy.zeros(3, dtype=[("x", "<f8"), ("y", "<i4")]),
        "cube": numpy.ones((3, 2, 2)), "five": numpy.ones((1, 1, 1, 1, 1)), "scalar": numpy.array(1.0),
    }
    for name, array in refused.items():
        numpy.save(os.path.join(folder, name + ".npy"), array)
    bad = numpy.ones((6, 4))
    bad[3, 1], bad[3, 2], bad[5, 0] = numpy.nan, numpy.inf, -numpy.inf
    numpy.save(os.path.join(folder, "nan.npy"), bad)
    numpy.save(os.path.join(folder, "nan_fortran.npy"), numpy.asfortranarray(bad))
    numpy.save(os.path.join(folder, "nan_f32.npy"), bad.astype("<f4"))
    bad[3] = 0
    numpy.save(os.path.join(folder, "inf.npy"), bad)


def check(path, dtype, shape, raw):
    array = numpy.load(path, allow_pickle=False)
    wanted_shape = tuple(int(extent) for extent in shape.split("x"))
    mapped = numpy.load(path, mmap_mode="r") if array.size else array
    good = (array.dtype == numpy.dtype(dtype) and array.shape == wanted_shape and array.flags.c_contiguous
            and array.tobytes() == open(raw, "rb").read() and mapped.tobytes() == array.tobytes()
            and (array.size == 0 or mapped.offset % 64 == 0)
            and os.path.getsize(path) % 64 == array.nbytes % 64)
    sys.exit(0 if good else 1)


if sys.argv[1] == "write":
    write(*sys.argv[2:])
    write_refused(sys.argv[2])
else:
    check(*sys.argv[2:])
