namespace Datacake.Data.Analyzers.Tests.Fuzzing;

/// <summary>An entity class before it is written: its name and key, and the members that its relations give it.</summary>
/// <param name="Name">The name.</param>
/// <param name="IsNested">True if it is within another class.</param>
/// <param name="Key">The properties of the key.</param>
/// <param name="Derived">The class that is derived from it; null if there is none.</param>
sealed record PlannedEntity(string Name, bool IsNested, IReadOnlyList<(string Type, string Name)> Key, string? Derived)
{
    /// <summary>The class as others name it.</summary>
    public string Reference => IsNested ? $"{Name}Outer.{Name}" : Name;

    /// <summary>The derived class as others name it.</summary>
    public string? DerivedReference => Derived is not null && IsNested ? $"{Name}Outer.{Derived}" : Derived;

    /// <summary>True if <c>new</c> with an initializer makes one, and if it has the properties <c>Flag</c> and <c>Label</c>, which code of the model uses.</summary>
    public bool IsPlain { get; init; }

    public bool IsAbstract { get; init; }

    /// <summary>Gets the lines that declare the key.</summary>
    public List<string> KeyMembers { get; } = [];

    public List<string> Members { get; } = [];

    /// <summary>Gets the members of the derived class.</summary>
    public List<string> DerivedMembers { get; } = [];

    /// <summary>Gets the navigations that are parameters of a record.</summary>
    public List<string> PositionalMembers { get; } = [];

    /// <summary>Gets the members of another derived class, which there is if it has some.</summary>
    public List<string> OtherMembers { get; } = [];

    /// <summary>The generic class that it derives from for a navigation; null if there is none.</summary>
    public string? Base { get; set; }

    /// <summary>Gets the names of members that are taken.</summary>
    public HashSet<string> Names { get; } = [Name, Name.TrimStart('@'), Derived ?? "", "Flag", "Label"];

    /// <summary>Gets the calls on its builder that describe it.</summary>
    public List<string> Calls { get; } = [];

    /// <summary>Gets the classes of configurations of it, as they are created, that the context applies.</summary>
    public List<string> Configurations { get; } = [];
}
