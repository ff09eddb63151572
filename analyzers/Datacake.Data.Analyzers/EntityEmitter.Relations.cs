namespace Datacake.Data.Analyzers;

/// <summary>Writes the code that reads and sets navigation properties.</summary>
sealed partial class EntityEmitter
{
    void EmitRelations()
    {
        if (_spec.Relations.Count == 0)
            return;
        _source.Line($"protected override global::System.Collections.Generic.IReadOnlyList<{Names.Api}RelationModel> DescribeRelations() => [{string.Join(", ", _spec.Relations)}];");
        _source.Line();
        foreach (var navigation in _spec.Navigations)
            EmitNavigation(navigation);
    }

    void EmitNavigation(NavigationSpec navigation)
    {
        var property = navigation.Property;
        string owner = property.DerivedType ?? _spec.Type, name = Identifier(property.Name);
        string value = navigation.IsShown ? $"{Access(property.Access, "Field", property.Field!)}(o)" : $"o.{name}";
        if (property.HiddenField is not null)
        {
            var use = HiddenUseOf(property);
            use.IsGot = true;
            value = $"Get{use.Number}(o)";
        }
        _source.Line($"internal static object? Get_{property.Name}(object e) => e is {owner} o ? {value} : null;");
        _source.Line();
        if (property.Setter == SetterKind.None)
            return;
        _source.Open($"internal static void Set_{property.Name}(object e, object? v)");
        string assigned = navigation.IsShown
            ? $"{value} = ({property.FieldType})v!"
            : Assignment(property, "o", $"({property.BareType})v!");
        _source.Line($"if (e is {owner} o) {assigned};");
        _source.Close();
        _source.Line();
    }
}
