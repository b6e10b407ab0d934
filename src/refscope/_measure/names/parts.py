"""Attributes that types written in C keep as fields, and that are safe to read.

Not those that are made when they are asked for, by code of the program: the bound of a
type variable, the parameters of a generic alias, the qualified name of a descriptor.
A table, from type to names.  Types that a program may never import stand in it by
name; their descriptors are checked to be those of C when they are used.
"""

from __future__ import annotations

import functools
import types
import weakref
from collections import OrderedDict
from collections.abc import Mapping
from contextvars import Context
from typing import Any


UNDERLYING = "<underlying>"
"""For iterators and views: they have no attribute for it."""

CALLBACKS = "<callbacks>"
_OF_ALIAS = ".__value__"
_OF_ELEMENT = "<text or tail>"
_OF_FUTURE = (
    *("_loop", "_result", "_exception", "_source_traceback"),
    "_cancel_message",
)
_OF_PARAMETER = "<bound, default or attribute>"
_EVENTS_OF_EXPAT = (
    *("StartElement", "EndElement", "CharacterData", "ProcessingInstruction"),
    *("StartNamespaceDecl", "EndNamespaceDecl", "Comment", "Default"),
    *("StartCdataSection", "EndCdataSection", "StartDoctypeDecl", "EndDoctypeDecl"),
    *("XmlDecl", "EntityDecl", "ElementDecl", "AttlistDecl", "NotationDecl"),
    *("UnparsedEntityDecl", "ExternalEntityRef", "SkippedEntity", "NotStandalone"),
)

PARTS: Mapping[Any, tuple[str, ...]] = {
    types.MethodType: ("__func__", "__self__"),
    types.BuiltinFunctionType: ("__self__", "__module__"),
    types.MethodWrapperType: ("__self__",),
    types.WrapperDescriptorType: ("__objclass__",),
    types.MethodDescriptorType: ("__objclass__",),
    types.ClassMethodDescriptorType: ("__objclass__",),
    types.MemberDescriptorType: ("__objclass__",),
    types.GetSetDescriptorType: ("__objclass__",),
    types.TracebackType: ("tb_next", "tb_frame"),
    property: ("fget", "fset", "fdel", "__doc__"),
    classmethod: ("__func__",),
    staticmethod: ("__func__",),
    functools.partial: ("func", "args", "keywords"),
    slice: ("start", "stop", "step"),
    super: ("__thisclass__", "__self__", "__self_class__"),
    weakref.ref: ("__callback__",),
    types.GenericAlias: ("__origin__", "__args__"),
    types.UnionType: ("__args__",),
    memoryview: ("obj",),
    types.CodeType: ("co_consts", "co_names"),
    BaseException: ("args", "__cause__", "__context__", "__traceback__"),
    ImportError: ("msg", "name", "path", "name_from"),
    AttributeError: ("name", "obj"),
    NameError: ("name",),
    StopIteration: ("value",),
    SystemExit: ("code",),
    OSError: ("errno", "strerror", "filename", "filename2"),
    SyntaxError: (
        "msg",
        "filename",
        "lineno",
        "offset",
        "text",
        "end_lineno",
        "end_offset",
        "print_file_and_line",
    ),
    UnicodeEncodeError: ("encoding", "object", "reason"),
    UnicodeDecodeError: ("encoding", "object", "reason"),
    UnicodeTranslateError: ("object", "reason"),
}
"""What is read first; exceptions also take the parts of their bases."""

PARTS_BY_NAME: Mapping[str, tuple[str, ...]] = {
    "BaseExceptionGroup": ("message", "exceptions"),
    "_asyncio.Future": _OF_FUTURE,
    "_asyncio.Task": (*_OF_FUTURE, "_coro", "_fut_waiter"),
    "_asyncio.TaskStepMethWrapper": ("__self__",),
    "TaskStepMethWrapper": ("__self__",),
    "_ctypes.CFuncPtr": ("restype", "argtypes", "errcheck", "_objects"),
    "_ctypes._Pointer": ("_objects",),
    "_ctypes.Structure": ("_objects",),
    "_ctypes.Array": ("_objects",),
    "_contextvars.Token": ("var", "old_value"),
    "_csv.reader": ("dialect",),
    "_csv.writer": ("dialect",),
    "_ssl._SSLContext": ("sni_callback", "_msg_callback"),
    "_io.BufferedReader": ("raw",),
    "_io.BufferedWriter": ("raw",),
    "_io.BufferedRandom": ("raw",),
    "_io.TextIOWrapper": ("buffer", "encoding", "errors"),
    "pyexpat.xmlparser": (
        *(f"{event}Handler" for event in _EVENTS_OF_EXPAT),
        "DefaultHandlerExpand",
    ),
    "re.Pattern": ("pattern", "groupindex"),
    "re.Match": ("re", "string"),
    "typing.ParamSpec": ("__bound__",),
    "typing.TypeAliasType": ("__type_params__",),
    "_struct.Struct": ("format",),
    "functools.KeyWrapper": ("obj",),
    "functools._lru_cache_wrapper": (),
    "sqlite3.Connection": ("row_factory", "text_factory"),
    "sqlite3.Cursor": ("row_factory",),
    "xml.etree.ElementTree.Element": ("tag",),
}
"""The same for types that may not be there, by their full name."""

REST: Mapping[Any, str] = {
    types.MappingProxyType: "<mapping>",
    OrderedDict: "<order>",
    memoryview: "<buffer>",
    weakref.ProxyType: "<callback>",
    weakref.CallableProxyType: "<callback>",
    types.BuiltinFunctionType: "<class>",
    types.MethodWrapperType: "<slot>",
    types.UnionType: "<part>",
    types.GenericAlias: ".__parameters__",
    property: ".__name__",
}
"""How what is then left is named, because a type has only one thing more."""

REST_BY_NAME: Mapping[str, str] = {
    "_asyncio.Future": CALLBACKS,
    "_asyncio.FutureIter": "<future>",
    "_asyncio.Task": CALLBACKS,
    "_asyncio.TaskStepMethWrapper": "<argument>",
    "TaskStepMethWrapper": "<argument>",
    "_contextvars.Context": "<tree>",
    "_contextvars.ContextVar": "<default>",
    "_contextvars.Token": "<context>",
    "_abc._abc_data": "<registry or cache>",
    "_csv.reader": "<lines or fields>",
    "_csv.writer": "<write>",
    "_buffer_wrapper": "<buffer or its owner>",
    "_ctypes.CField": "<type>",
    "_ctypes.CFuncPtr": "<callable>",
    "_ctypes.CThunkObject": "<callable or types>",
    "_ctypes.CType_Type": "<types or format>",
    "_ctypes.PyCPointerType": "<types or format>",
    "_elementtree._element_iterator": "<element or tag>",
    "_io.BufferedRWPair": "<reader or writer>",
    "_io.BytesIO": "<buffer>",
    "_io._BytesIOBuffer": "<owner>",
    "_io.IncrementalNewlineDecoder": "<decoder or errors>",
    "_io.TextIOWrapper": "<decoder, encoder or file>",
    "_json.Scanner": "<memo>",
    "_lsprof.Profiler": "<timer>",
    "_pickle.Pickler": "<write or memo>",
    "_pickle.PicklerMemoProxy": "<pickler>",
    "_pickle.Unpickler": "<read or stack>",
    "_pickle.UnpicklerMemoProxy": "<unpickler>",
    "_queue.SimpleQueue": "<items>",
    "_thread._local": "<values of threads>",
    "anext_awaitable": "<awaited or default>",
    "async_generator_asend": "<generator or value>",
    "async_generator_athrow": "<generator or value>",
    "coroutine_wrapper": "<coroutine>",
    "decimal.Context": "<signals>",
    "functools.KeyWrapper": "<comparison>",
    "functools._lru_cache_wrapper": "<cache>",
    "functools._lru_list_elem": "<link>",
    "hamt": "<node>",
    "hamt_array_node": "<node>",
    "hamt_bitmap_node": "<node>",
    "lxml.etree._BaseContext": "<extensions or namespaces>",
    "lxml.etree._Document": "<parser>",
    "lxml.etree._Element": "<document>",
    "lxml.etree._ElementTree": "<root or document>",
    "lxml.etree._XPathEvaluatorBase": "<context or errors>",
    "managedbuffer": "<buffer>",
    "multidict._multidict.CIMultiDict": "<key or value>",
    "multidict._multidict.MultiDict": "<key or value>",
    "operator.itemgetter": "<items>",
    "operator.attrgetter": "<names>",
    "operator.methodcaller": "<call>",
    "pydantic_core._pydantic_core.SchemaSerializer": "<schema>",
    "pydantic_core._pydantic_core.SchemaValidator": "<schema>",
    "pydantic_core._pydantic_core.ValidationError": "<errors>",
    "re.Pattern": "<pattern>",
    "typing.ParamSpec": _OF_PARAMETER,
    "typing.TypeAliasType": _OF_ALIAS,
    "sqlite3.Blob": "<connection>",
    "sqlite3.Connection": "<statements, cursors or functions>",
    "sqlite3.Cursor": "<statement or row>",
    "sqlite3.Row": "<values or description>",
    "typing.TypeVar": _OF_PARAMETER,
    "typing.TypeVarTuple": _OF_PARAMETER,
    "xml.etree.ElementTree.Element": _OF_ELEMENT,
    "xml.etree.ElementTree.TreeBuilder": "<tree or factories>",
    "xml.etree.ElementTree.XMLParser": "<target or names>",
    "_ssl._SSLSocket": "<exception>",
    "_struct.Struct": "<codes>",
    "_typing._ConstEvaluator": "<value>",
    "builtin_method": "<class>",
    **dict.fromkeys(
        (
            "FrameLocalsProxy",
            "_pickle.PickleBuffer",
            "_struct.unpack_iterator",
            "array.arrayiterator",
            "generic_alias_iterator",
            "items",
            "iterator",
            "keys",
            "memory_iterator",
            "multidict._multidict.MultiDictProxy",
            "multidict._multidict._ItemsView",
            "multidict._multidict._KeysView",
            "multidict._multidict._ValuesView",
            "multidict._multidict._itemsiter",
            "multidict._multidict._keysiter",
            "multidict._multidict._valuesiter",
            "pickle.PickleBuffer",
            "sqlalchemy.cimmutabledict.immutabledict",
            "string.templatelib.TemplateIter",
            "values",
        ),
        UNDERLYING,
    ),
}

REST_BY_TYPE: Mapping[str, tuple[tuple[type, str], ...]] = {
    CALLBACKS: (
        (Context, "<context>"),
        (types.TracebackType, "<traceback of the exception>"),
        (BaseException, "<exception of the cancellation>"),
        (str, "<name>"),
    ),
    _OF_ALIAS: ((types.FunctionType, "<function of the value>"),),
    _OF_ELEMENT: ((dict, ".attrib"),),
}
"""What has a better name than the rest of its holder, by that and by its type."""
