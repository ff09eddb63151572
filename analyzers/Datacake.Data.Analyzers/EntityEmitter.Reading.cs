using System.Globalization;

namespace Datacake.Data.Analyzers;

/// <summary>Writes the code that creates an entity from its key and cells.</summary>
sealed partial class EntityEmitter
{
    void EmitRead()
    {
        _source.Open($"protected override {_spec.Type} Read(ref {Store}OrderedKeyReader key, ref {Names.Support}CellReader cells)");
        int keyIndex = 0;
        foreach (var key in Keys)
            _source.Line($"var key{keyIndex++} = {Codec(key.OrderedCodec!)}.ReadOrdered(ref key);");
        EmitCreation();
        keyIndex = 0;
        foreach (var key in Keys)
        {
            if (key.Setter != SetterKind.None && !IsArgument(key))
                _source.Line($"{Assignment(key, "entity", $"key{keyIndex}")};");
            keyIndex++;
        }
        foreach (var counter in _slots.Where(property => property.Kind == MappingKind.Counter))
            _source.Line($"long? counter{Slot(counter)} = null;");
        var finished = _slots.Where(property => property.Collection?.Finish is not null && IsRead(property)).ToList();
        foreach (var collection in finished)
            _source.Line($"{collection.Collection!.New.Substring(4, collection.Collection.New.Length - 6)}? items{Slot(collection)} = null;");
        _source.Open("while (cells.Read())");
        _source.Open("switch (cells.Slot)");
        for (int slot = 0; slot < _slots.Count; slot++)
        {
            if (IsRead(_slots[slot]))
                EmitCase(slot);
        }
        _source.Close();
        _source.Close();
        foreach (var collection in finished)
            EmitFinish(collection);
        foreach (var counter in _slots.Where(property => property.Kind == MappingKind.Counter))
        {
            string value = counter.BareType == "int" ? $"int.CreateSaturating(sum{Slot(counter)})" : $"sum{Slot(counter)}";
            string guard = HasOwner(counter) ? $" && {ReadOwner(counter)} is {{ }} owner{Slot(counter)}" : "";
            string owner = HasOwner(counter) ? $"owner{Slot(counter)}" : "entity";
            _source.Line($"if (counter{Slot(counter)} is {{ }} sum{Slot(counter)}{guard}) {Assignment(counter, owner, value)};");
        }
        _source.Line("return entity;");
        _source.Close();
        _source.Line();
    }

    void EmitCreation()
    {
        if (!_spec.HasDiscriminator)
        {
            _source.Line($"var entity = {Creation(_spec.Classes[0].Constructor)};");
            return;
        }
        var own = _spec.Classes.FirstOrDefault(known => known.Type == _spec.Type);
        _source.Open($"{_spec.Type} entity = cells.Peek({DiscriminatorSlot}, {Names.Support}ValueCodecs.String, \"\") switch");
        foreach (var known in _spec.Classes.Where(known => known != own))
            _source.Line($"{Literal(known.Discriminator)} => {Creation(known.Constructor)},");
        // The entity may have been stored before there were derived classes, or by a newer version that has more of them.
        _source.Line(own is null ? "var other => throw UnknownDiscriminator(other)," : $"_ => {Creation(own.Constructor)},");
        _source.Close("};");
    }

    /// <summary>True if the loop over the cells reads a property. The constructor reads the properties that it sets.</summary>
    bool IsRead(PropertySpec property) => property.Kind != MappingKind.Discriminator && !IsArgument(property)
        && (property.Setter != SetterKind.None || property.Kind is MappingKind.Owned or MappingKind.Set or MappingKind.Dictionary);

    /// <summary>True if the constructors of all classes set a property. If only some do, setting it again does no harm.</summary>
    bool IsArgument(PropertySpec property)
    {
        bool Sets(ConstructorSpec? constructor) => constructor?.Arguments.Any(argument => argument.Path == property.Path) == true;
        return All.Any(owner => Sets(owner.Constructor)) || _spec.Classes.All(known => Sets(known.Constructor));
    }

    void EmitCase(int slot)
    {
        var property = _slots[slot];
        bool isNested = HasOwner(property);
        string owner = isNested ? $"o{slot}" : "entity";
        _source.Open($"case {slot}:");
        if (isNested)
        {
            _source.Line($"if ({ReadOwner(property)} is not {{ }} o{slot})");
            _source.Line("    break;");
        }
        string current = $"{owner}.{Identifier(property.Name)}";
        switch (property.Kind)
        {
            case MappingKind.Value:
                string read = Assignment(property, owner, $"cells.Value({Codec(property.Codec)})");
                _source.Line(property.IsNullable ? $"{read};" : $"if (!cells.IsNil) {read};");
                break;
            case MappingKind.Counter:
                _source.Line($"counter{slot} = unchecked((counter{slot} ?? 0) + cells.Share());");
                break;
            case MappingKind.Owned:
                if (property.Setter == SetterKind.None)
                    break;
                if (property.IsNullable)
                    _source.Line($"{Assignment(property, owner, $"cells.IsNil ? null : {Creation(property.Constructor!)}")};");
                else
                    _source.Line($"if (!cells.IsNil) {Assignment(property, owner, Creation(property.Constructor!))};");
                break;
            default:
                EmitCollection(property, slot, owner, current);
                break;
        }
        _source.Line("break;");
        _source.Close();
    }

    void EmitCollection(PropertySpec property, int slot, string owner, string current)
    {
        var collection = property.Collection!;
        bool isSet = property.Kind == MappingKind.Set;
        _source.Open("if (!cells.IsElement && cells.IsNil)");
        if (property.IsNullable && property.Setter != SetterKind.None)
            _source.Line($"{(property.FieldType is null ? Assignment(property, owner, "null") : $"{Field(property, owner)} = null!")};");
        _source.Line("break;");
        _source.Close();
        if (collection.Finish is not null)
            _source.Line($"items{slot} ??= cells.IsElement && {current} is {{ }} old{slot} ? new(old{slot}) : {collection.New};");
        else if (property.FieldType is not null)
            _source.Line($"var items{slot} = {Field(property, owner)} ??= {collection.New};");
        else
        {
            _source.Line($"var items{slot} = {current};");
            if (property.Setter != SetterKind.None)
            {
                _source.Line($"if (items{slot} is null)");
                _source.Line($"    {Assignment(property, owner, $"items{slot} = {collection.New}")};");
            }
        }
        string add = isSet
            ? $"items{slot}.Add(cells.Element({Codec(property.ElementCodec)}))"
            : $"items{slot}[cells.Element({Codec(property.ElementCodec)})] = cells.Value({Codec(property.Codec)})";
        _source.Line("if (cells.IsElement)");
        _source.Line($"    {add};");
        _source.Line("else");
        _source.Line($"    items{slot}.Clear();");
    }

    /// <summary>Sets a collection that cannot be filled in place, once all its items have been read.</summary>
    void EmitFinish(PropertySpec property)
    {
        int slot = Slot(property);
        string owner = HasOwner(property) ? $"owner{slot}" : "entity";
        string guard = HasOwner(property) ? $" && {ReadOwner(property)} is {{ }} {owner}" : "";
        string finished = string.Format(CultureInfo.InvariantCulture, property.Collection!.Finish!, $"items{slot}", $"{owner}.{Identifier(property.Name)}");
        _source.Line($"if (items{slot} is not null{guard}) {Assignment(property, owner, finished)};");
    }
}
