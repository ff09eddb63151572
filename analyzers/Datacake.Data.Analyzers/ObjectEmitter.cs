namespace Datacake.Data.Analyzers;

/// <summary>
/// The writer of the codec of a class whose objects are stored as one value: a map of its properties by their names in the store.
/// </summary>
sealed class ObjectEmitter(
    SourceWriter source, ObjectSpec spec, Func<CodecSpec, string> codec, Func<PropertySpec, string, string, string> assign)
{
    /// <summary>Writes the codec.</summary>
    /// <param name="creator">The expression that calls the constructor.</param>
    public void Emit(string creator)
    {
        source.Open($"sealed class {spec.CodecName} : {Names.Support}ValueCodec<{spec.Type}>");
        source.Line($"public static readonly {spec.CodecName} Instance = new();");
        source.Line();
        EmitMembers();
        EmitWrite();
        EmitRead(creator);
        if (spec.HasRules)
            EmitCheck();
        source.Close();
        source.Line();
    }

    void EmitMembers()
    {
        source.Line($"protected override global::System.Collections.Generic.IReadOnlyList<{Names.Support}ObjectMember> Members =>");
        source.Line("[");
        foreach (var property in spec.Properties)
            source.Line($"    new({EntityEmitter.Literal(property.Name)}, {codec(property.Codec!)}, static v => (({spec.Type})v).{EntityEmitter.Identifier(property.Name)}),");
        source.Line("];");
        source.Line();
    }

    void EmitCheck()
    {
        source.Line();
        source.Open($"public override void Check({spec.Type} value, {Names.Support}ValueProblems problems)");
        if (!spec.IsStruct)
        {
            source.Line("if (value is null)");
            source.Line("    return;");
        }
        foreach (var property in spec.Properties.Where(property => property.IsRequired || property.MaxLength is not null || property.Codec!.HasRules))
        {
            string required = property.IsRequired ? "true" : "false", length = property.MaxLength is { } limit ? $"{limit}" : "null";
            source.Line(
                $"problems.Property({EntityEmitter.Literal(property.Name)}, value.{EntityEmitter.Identifier(property.Name)}, {codec(property.Codec!)}, {required}, {length});");
        }
        source.Close();
    }

    void EmitWrite()
    {
        source.Open($"public override void Write({Names.Support}ValueWriter writer, {spec.Type} value)");
        if (!spec.IsStruct)
        {
            source.Open("if (value is null)");
            source.Line("writer.WriteNil();");
            source.Line("return;");
            source.Close();
        }
        if (!spec.IsSealed)
            source.Line($"CheckClass(value, typeof({spec.Type}), {EntityEmitter.Literal(spec.Where)});");
        source.Line($"writer.WriteMapHeader({spec.Properties.Count});");
        foreach (var property in spec.Properties)
        {
            source.Line($"writer.WriteString({EntityEmitter.Literal(property.StoredPath)});");
            source.Line($"{codec(property.Codec!)}.Write(writer, value.{EntityEmitter.Identifier(property.Name)});");
        }
        source.Close();
        source.Line();
    }

    void EmitRead(string creator)
    {
        source.Open($"public override {spec.Type} Read(ref {Names.Support}ValueReader reader)");
        if (!spec.IsStruct)
        {
            source.Line("if (reader.TryReadNil())");
            source.Line("    return null!;");
        }
        for (int i = 0; i < spec.Properties.Count; i++)
        {
            var argument = spec.Constructor.Arguments.FirstOrDefault(argument => argument.Path == spec.Properties[i].Path);
            source.Line($"bool has{i} = false;");
            source.Line($"{spec.Properties[i].Type} value{i} = {argument?.Missing ?? "default!"};");
        }
        source.Open("for (int rest = reader.ReadMapHeader(); rest > 0; rest--)");
        source.Open("switch (reader.ReadString())");
        for (int i = 0; i < spec.Properties.Count; i++)
        {
            var property = spec.Properties[i];
            source.Line($"case {EntityEmitter.Literal(property.StoredPath)}:");
            // If the property was null when it was stored and is no longer nullable, it keeps its initial value, as in an entity.
            source.Line(property.IsNullable ? "    {" : "    if (!reader.TryReadNil()) {");
            source.Line($"        value{i} = {codec(property.Codec!)}.Read(ref reader);");
            source.Line($"        has{i} = true;");
            source.Line("    }");
            source.Line("    break;");
        }
        // The property is from another version of the class.
        source.Line("default:");
        source.Line("    reader.Skip();");
        source.Line("    break;");
        source.Close();
        source.Close();
        var paths = spec.Properties.Select(property => property.Path).ToList();
        string arguments = string.Join(
            ", ",
            spec.Constructor.Arguments.Select(argument =>
                argument.Path is null ? argument.Missing : $"value{paths.IndexOf(argument.Path)}"));
        source.Line($"var created = {creator}({arguments});");
        for (int i = 0; i < spec.Properties.Count; i++)
        {
            var property = spec.Properties[i];
            if (property.Setter != SetterKind.None && spec.Constructor.Arguments.All(argument => argument.Path != property.Path))
                source.Line($"if (has{i}) {assign(property, "created", $"value{i}")};");
        }
        source.Line("return created;");
        source.Close();
    }
}
