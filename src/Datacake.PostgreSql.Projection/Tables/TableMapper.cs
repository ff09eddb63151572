using System.Collections;
using Datacake.Data;
using Datacake.Data.Values;

namespace Datacake.PostgreSql.Projection.Tables;

/// <summary>The mapping of an entity class to its tables.</summary>
sealed class TableMapper
{
    readonly EntityModel _model;
    readonly TableChoices _choices;
    readonly string _name;
    readonly JsonValues _json;
    readonly List<Column> _columns = [];
    readonly List<Func<object, object?>> _values = [];
    readonly List<ChildTable> _children = [];

    TableMapper(KeyspaceModel keyspace, TableChoices choices)
    {
        (_model, _choices) = (keyspace.Entity, choices);
        _name = SqlName.Check(choices.Name ?? SqlName.Of(keyspace.Name));
        _json = new JsonValues(choices.AreEnumsIntegers);
    }

    /// <summary>Returns the tables of a keyspace.</summary>
    /// <exception cref="ArgumentException">A chosen property does not exist, or a name is invalid or used twice.</exception>
    public static Table Map(KeyspaceModel keyspace, TableChoices choices, string schema)
    {
        var mapper = new TableMapper(keyspace, choices);
        mapper.CheckChoices();
        mapper.Map();
        mapper.CheckNames();
        var values = mapper._values.ToArray();
        var model = keyspace.Entity;
        return new Table(
            schema, mapper._name, mapper._columns, model.Key.Count, entity => [.. values.Select(value => value(entity))],
            key => [.. model.ReadKey(key).Select((part, i) => ((ScalarShape)model.Key[i].Shape!).StoredOf(part))], mapper._children);
    }

    void Map()
    {
        foreach (var key in _model.Key)
            AddScalar(key, (ScalarShape)key.Shape!);
        if (_model.Classes.Count > 0)
        {
            var names = _model.Classes.ToDictionary(static known => known.Type, static known => known.Discriminator);
            Add("discriminator", ColumnType.Text, $"the class of {_model.Name}", entity => names[entity.GetType()]);
        }
        foreach (var property in _model.Properties.Where(static property => property.Kind != PropertyKind.Key))
        {
            if (IsIgnored(property.Name) || IsInJson(property.Name))
                continue;
            switch (property.Kind)
            {
                case PropertyKind.Owned when _choices.AreOwnedColumns:
                    break;
                case PropertyKind.Owned:
                    PropertyModel[] properties = [.. _model.Properties.Where(inner => !IsIgnored(inner.Name))];
                    Add(property, ColumnType.Json, entity => _json.OfOwned(entity, property, properties));
                    break;
                case PropertyKind.Set or PropertyKind.Dictionary when _choices.AreCollectionsTables:
                    AddChild(property);
                    break;
                case PropertyKind.Set:
                    Add(property, ColumnType.Json, entity => _json.OfSet(property.GetValue(entity), property.Shape!));
                    break;
                case PropertyKind.Dictionary:
                    Add(property, ColumnType.Json, entity => _json.OfDictionary(property.GetValue(entity), property));
                    break;
                case var _ when property.Shape is ScalarShape scalar:
                    AddScalar(property, scalar);
                    break;
                case var _ when property.Shape is ListShape && _choices.AreCollectionsTables:
                    AddChild(property);
                    break;
                default:
                    Add(property, ColumnType.Json, entity => _json.Of(property.GetValue(entity), property.Shape!));
                    break;
            }
        }
    }

    void AddScalar(PropertyModel property, ScalarShape shape) =>
        Add(property, ColumnType.Of(shape.Type, _choices.AreEnumsIntegers), entity => shape.StoredOf(property.GetValue(entity)));

    void Add(PropertyModel property, ColumnType type, Func<object, object?> value) => Add(NameOf(property), type, SourceOf(property), value);

    void Add(string name, ColumnType type, string source, Func<object, object?> value)
    {
        _columns.Add(new Column(name, type, source));
        _values.Add(value);
    }

    void AddChild(PropertyModel property)
    {
        string source = SourceOf(property), entity = SqlName.Of(_model.Name);
        var kind = property.Kind switch { PropertyKind.Set => CollectionKind.Set, PropertyKind.Dictionary => CollectionKind.Dictionary, _ => CollectionKind.List };
        // The key of an Order is order_id, whether the property is Id or OrderId.
        List<Column> columns = [.. _columns.Take(_model.Key.Count).Select(key =>
            new Column(key.Name.StartsWith(entity + "_", StringComparison.Ordinal) ? key.Name : $"{entity}_{key.Name}", key.Type, key.Source))];
        if (kind == CollectionKind.List)
            columns.Add(new Column("position", ColumnType.Integer, $"the positions in {source}"));
        var keyShape = property.KeyShape as ScalarShape;
        if (keyShape is not null)
            columns.Add(new Column("key", ColumnType.Of(keyShape.Type, _choices.AreEnumsIntegers), $"the keys of {source}"));
        var itemShape = property.Shape is ListShape list && kind == CollectionKind.List ? list.Item : property.Shape!;
        (string Name, ValueShape Shape, Func<object, object?> Get)[] parts = itemShape is ObjectShape item
            ? [.. item.Members.Select(member => (SqlName.Of(member.Name), member.Shape, (Func<object, object?>)member.GetValue))]
            : [("value", itemShape, static value => value)];
        foreach (var (name, shape, _) in parts)
        {
            columns.Add(new Column(
                columns.Exists(column => column.Name == name) ? $"item_{name}" : name,
                shape is ScalarShape scalar ? ColumnType.Of(scalar.Type, _choices.AreEnumsIntegers) : ColumnType.Json, $"the items of {source}"));
        }
        _children.Add(new ChildTable($"{_name}_{NameOf(property)}", columns, kind, NameOf(property), RowsOf));

        IEnumerable<object?[]> RowsOf(object owner, object?[] key)
        {
            if (property.GetValue(owner) is not { } collection)
                yield break;
            if (kind == CollectionKind.Dictionary)
            {
                foreach (var (name, value) in property.Entries!(collection))
                    yield return [.. key, keyShape!.StoredOf(name), .. PartsOf(value)];
                yield break;
            }
            int position = 0;
            foreach (object? value in (kind == CollectionKind.Set ? (IEnumerable)collection : ((ListShape)property.Shape!).ItemsOf(collection)) ?? Array.Empty<object>())
                yield return kind == CollectionKind.Set ? [.. key, .. PartsOf(value)] : [.. key, ++position, .. PartsOf(value)];
        }

        IEnumerable<object?> PartsOf(object? value) => parts.Select(part =>
            value is null ? null : part.Shape is ScalarShape scalar ? scalar.StoredOf(part.Get(value)) : _json.Of(part.Get(value), part.Shape));
    }

    string NameOf(PropertyModel property) => _choices.Columns.GetValueOrDefault(property.Name) ?? SqlName.Of(property.Name);

    string SourceOf(PropertyModel property) => $"the property {property.Name} of {_model.Name}";

    bool IsIgnored(string path) => OwnersOf(path).Append(path).Any(_choices.Ignored.Contains);

    bool IsInJson(string path) => !_choices.AreOwnedColumns && OwnersOf(path).Any(owner => _model.FindProperty(owner) is not null);

    static IEnumerable<string> OwnersOf(string path)
    {
        for (int dot = path.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = path.IndexOf('.', dot + 1))
            yield return path[..dot];
    }

    void CheckChoices()
    {
        foreach (string path in _choices.Columns.Keys.Concat(_choices.Ignored))
        {
            var property = _model.FindProperty(path) ?? throw new ArgumentException(
                $"{_model.Name} has no stored property {path}, which the projection names. Choose one of {string.Join(", ", _model.Properties.Select(static known => known.Name))}.");
            if (property.Kind == PropertyKind.Key && _choices.Ignored.Contains(path))
                throw new ArgumentException($"The property {path} of {_model.Name} is a part of the key, which identifies its row, so the projection cannot ignore it. Remove the call of Ignore.");
        }
    }

    void CheckNames()
    {
        foreach (var (table, columns) in _children.Select(static child => (child.Name, child.Columns)).Prepend((_name, _columns)))
        {
            SqlName.Check(table);
            foreach (var column in columns)
                SqlName.Check(column.Name);
            if (columns.GroupBy(static column => column.Name).FirstOrDefault(static same => same.Count() > 1) is { } repeated)
            {
                throw new ArgumentException(
                    $"The table '{table}' has several columns '{repeated.Key}', for {string.Join(" and ", repeated.Select(static column => column.Source))}. Name one of them with Column.");
            }
        }
    }
}
