namespace Datacake.Data.Analyzers.Tests.Fuzzing;

/// <summary>An entity class before its source is written: its name, its key, and the members that its relations add.</summary>
/// <param name="Name">The name.</param>
/// <param name="IsNested">True if it is within another class.</param>
/// <param name="Key">The properties of the key.</param>
/// <param name="Derived">The class that is derived from it; null if there is none.</param>
sealed record PlannedEntity(string Name, bool IsNested, IReadOnlyList<(string Type, string Name)> Key, string? Derived)
{
    /// <summary>Gets the name by which other code refers to the class.</summary>
    public string Reference => IsNested ? $"{Name}Outer.{Name}" : Name;

    /// <summary>Gets the name by which other code refers to the derived class.</summary>
    public string? DerivedReference => Derived is not null && IsNested ? $"{Name}Outer.{Derived}" : Derived;

    /// <summary>
    /// True if <c>new</c> with an initializer creates an instance, and if the class has the properties <c>Flag</c> and <c>Label</c>, which
    /// code of the model uses.
    /// </summary>
    public bool IsPlain { get; init; }

    public bool IsAbstract { get; init; }

    /// <summary>Gets the lines that declare the key.</summary>
    public List<string> KeyMembers { get; } = [];

    public List<string> Members { get; } = [];

    /// <summary>Gets the members of the derived class.</summary>
    public List<string> DerivedMembers { get; } = [];

    /// <summary>Gets the navigations that are parameters of a record.</summary>
    public List<string> PositionalMembers { get; } = [];

    /// <summary>Gets the members of a second derived class, which exists only if this list is not empty.</summary>
    public List<string> OtherMembers { get; } = [];

    /// <summary>Gets or sets the generic base class that declares a navigation; null if there is none.</summary>
    public string? Base { get; set; }

    /// <summary>Gets the member names that are already in use.</summary>
    public HashSet<string> Names { get; } = [Name, Name.TrimStart('@'), Derived ?? "", "Flag", "Label"];

    /// <summary>Gets the builder calls that describe the entity.</summary>
    public List<string> Calls { get; } = [];

    /// <summary>Gets the expressions that create the configurations of the entity, which the context applies.</summary>
    public List<string> Configurations { get; } = [];
}
