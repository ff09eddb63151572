using Datacake.Crdt;
using Datacake.Data.Cells;
using Datacake.Data.CodeGeneration;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Snapshots;
using Datacake.Storage;

namespace Datacake.Data.Metadata;

/// <summary>
/// The extraction of an index's columns from the cells of a document. It runs on every replica, at every change of the document, and
/// gives the values that an entity read from the document would have, without creating the entity.
/// </summary>
sealed class IndexExtraction
{
    // Sorts before all values, ascending or descending, because the bytes of no value start with zero.
    const byte UnreadableMark = 0x00;

    readonly EntityModel _entity;
    readonly string _name;
    readonly Type? _derivedType;
    volatile bool _isChecked;       // set by the first query after the start; until then, the content of the store is unknown
    readonly Column[] _columns;

    IndexExtraction(EntityModel entity, IndexModel index)
    {
        _entity = entity;
        _name = index.Name;
        _derivedType = index.DerivedType;
        _columns = [.. index.Properties.Zip(index.Descending).Select(property => new Column(entity, property.First, property.Second))];
    }

    /// <summary>
    /// Gets the range of an index that has the documents with unreadable values, so that a query meets them as it would without the index.
    /// </summary>
    public static KeyRange Unreadable { get; } = KeyRange.WithPrefix(new[] { UnreadableMark });

    /// <summary>
    /// Returns true if an index has documents whose values it cannot read. Most indexes have none, which is known without reading the
    /// index: the documents that a store already had are checked once, and new ones are noted before they are stored.
    /// </summary>
    public static ValueTask<bool> HasUnreadableAsync(StoreSnapshot snapshot, string keyspace, IndexModel index, CancellationToken cancellationToken)
    {
        var extraction = snapshot.FindIndex(keyspace, index.Name)?.Extract.Target as IndexExtraction;
        return extraction is { _isChecked: true } && !extraction._entity.IndexesWithUnreadable.ContainsKey(index.Name) ? new(false) : LookAsync();

        async ValueTask<bool> LookAsync()
        {
            using var page = new IndexPage();
            await snapshot.ScanIndexAsync(keyspace, index.Name, Unreadable, ScanDirection.Forward, maxEntries: 1, page, cancellationToken).ConfigureAwait(false);
            if (page.Count == 0)
                extraction?._isChecked = true;
            return page.Count > 0;
        }
    }

    /// <summary>Returns the declarations of an entity class's indexes.</summary>
    public static IReadOnlyList<DocumentIndex> IndexesOf(EntityModel entity) => [.. entity.Indexes.Select(index =>
    {
        var extraction = new IndexExtraction(entity, index);
        return new DocumentIndex(index.Name, extraction.Signature(), extraction.Extract)
        {
            // The class decides which defaults a document has, and whether it is in the index.
            IsUnchanged = entity.Classes.Count == 0 && extraction._columns.All(static column => column.IsRegister) ? extraction.IsUnchanged : null,
        };
    })];

    /// <summary>
    /// Returns a description of everything that the values depend on: the columns and their defaults. The defaults of a derived class are
    /// included if they differ from those of the entity class, or if the index covers derived classes only: a class that is added to these
    /// may already be the class of stored documents.
    /// </summary>
    string Signature()
    {
        string common = Defaults(Document.Nothing);
        var ofClasses = _entity.Classes
            .Where(known => known.Type.IsAssignableTo(_derivedType ?? _entity.Type))
            .Select(known => (known.Discriminator, Defaults: Defaults(_entity.Sample(known))))
            .Where(known => _derivedType is not null || known.Defaults != common)
            .OrderBy(known => known.Discriminator, StringComparer.Ordinal)
            .Select(known => $"{known.Discriminator}={known.Defaults}");
        return string.Join(";", ["2", common, .. ofClasses]);

        string Defaults(Document document) => string.Join(";", _columns.Select(column => column.Signature(document)));
    }

    /// <summary>True if two versions of a document have the same cells of all columns.</summary>
    bool IsUnchanged(Document before, Document after)
    {
        foreach (var column in _columns)
        {
            if (!column.IsUnchanged(before, after))
                return false;
        }
        return true;
    }

    void Extract(Document document, IndexValues values)
    {
        try
        {
            if (_derivedType is not null && _entity.ClassOf(document)?.Type.IsAssignableTo(_derivedType) != true)
                return;
            if (_columns is [{ IsSet: true } elements])
            {
                elements.WriteElements(document, values);
                return;
            }
            foreach (var column in _columns)
                column.Write(document, values.Key, values.Writer);
            values.Add();
        }
        catch (InvalidDataException)
        {
            // Another version of the class wrote a type that this version cannot read. Queries cannot read it either, and they report it
            // when they meet the document. A commit must not fail because of it.
            _entity.IndexesWithUnreadable[_name] = true;
            values.Writer.Truncate();
            values.Writer.WriteRaw([UnreadableMark]);
            values.Add();
        }
    }

    sealed class Column
    {
        readonly PropertyModel _property;
        readonly CellPath? _path;   // null for a part of the key
        readonly int _keyPart;
        readonly CellPath[] _owners;
        readonly EntityModel _entity;
        readonly bool _isDescending;

        public Column(EntityModel entity, string property, bool isDescending)
        {
            _isDescending = isDescending;
            _property = entity.FindProperty(property)!;
            _entity = entity;
            string stored = _property.StoredName;
            _path = entity.Paths.FirstOrDefault(path => path.Name == stored);
            _keyPart = entity.Key.Index().FirstOrDefault(part => part.Item == _property).Index;
            _owners = [.. entity.Paths.Where(path => stored.StartsWith(path.Name + ".", StringComparison.Ordinal))];
        }

        public bool IsSet => _property.Kind == PropertyKind.Set;

        /// <summary>True if the values depend on one cell of the document alone, or on its key.</summary>
        public bool IsRegister => !IsSet && _owners.Length == 0;

        public bool IsUnchanged(Document before, Document after) => _path is null
            || (before.View.TryGetValue(_path.Property, out var old) == after.View.TryGetValue(_path.Property, out var @new) && old.SequenceEqual(@new));

        public string Signature(Document sample)
        {
            var writer = new OrderedKeyWriter();
            if (!IsSet && _path is not null)
                Write(sample, key: default, writer);
            return $"{_property.StoredName}:{_property.Kind}:{_property.Type.Name}:{Convert.ToHexString(writer.Written)}{(_isDescending ? ":descending" : "")}";
        }

        public void Write(Document document, ReadOnlySpan<byte> key, OrderedKeyWriter writer)
        {
            int start = writer.Length;
            if (_path is null)
                WriteKeyPart(key, writer);
            else
                WriteAscending(document, _path, writer);
            if (_isDescending)
                writer.Reverse(start);
        }

        /// <summary>Writes a part of the key. Its form in the key is also its form in an index.</summary>
        void WriteKeyPart(ReadOnlySpan<byte> key, OrderedKeyWriter writer)
        {
            var reader = new OrderedKeyReader(key);
            for (int i = 0; i < _keyPart; i++)
                reader.ReadEncoded();
            writer.WriteRaw(reader.ReadEncoded());
        }

        void WriteAscending(Document document, CellPath path, OrderedKeyWriter writer)
        {
            if (!HasOwner(document, out var defaults))
            {
                writer.WriteNull();
                return;
            }
            if (document.TryGetCell(path.Property, out var cell) && cell.IsShown(document.Born) && (_property.IsNullable || !IsNil(cell)))
                _property.OrderedCodec!.CopyOrdered(cell.Value, writer);
            else if (TryGetCell(defaults, path.Property, out cell))
                _property.OrderedCodec!.CopyOrdered(cell.Value, writer);
            else
                writer.WriteNull();
        }

        public void WriteElements(Document document, IndexValues values)
        {
            if (!HasOwner(document, out var defaults))
                return;
            foreach (var cell in document.Cells)
            {
                if (IsElement(cell) && cell.IsShown(document.Born))
                    Add(cell, values);
            }
            if (document.TryGetCell(_path!.Property, out var marker) && marker.IsShown(document.Born))
                return;
            foreach (var cell in defaults.Cells)
            {
                if (IsElement(cell))
                    Add(cell, values);
            }
        }

        void Add(DocumentCell element, IndexValues values)
        {
            _property.OrderedCodec!.CopyOrdered(element.Element, values.Writer);
            if (_isDescending)
                values.Writer.Reverse(0);
            values.Add();
        }

        bool IsElement(DocumentCell cell) => cell.Kind == DocumentPathKind.Element && cell.Property.SequenceEqual(_path!.Utf8Name);

        /// <summary>
        /// Returns true if the object that contains the property is present, with the defaults of the properties that the document lacks.
        /// </summary>
        bool HasOwner(Document document, out EntityContent defaults)
        {
            var (ofEntity, withOwned) = _entity.DefaultsOf(document);
            defaults = ofEntity;
            foreach (var owner in _owners)
            {
                bool isStored = document.TryGetCell(owner.Property, out var marker) && marker.IsShown(document.Born);
                if (isStored)
                    defaults = withOwned;
                if (isStored ? IsNil(marker) : !TryGetCell(ofEntity, owner.Property, out marker) || IsNil(marker))
                    return false;
            }
            return true;
        }

        static bool IsNil(DocumentCell cell) => new ValueReader(cell.Value).IsNil;

        static bool TryGetCell(EntityContent content, ReadOnlySpan<byte> path, out DocumentCell found)
        {
            foreach (var cell in content.Cells)
            {
                if (cell.EncodedPath.SequenceEqual(path))
                {
                    found = cell;
                    return true;
                }
            }
            found = default;
            return false;
        }
    }
}
