namespace Datacake.Domain;

/// <summary>An entity with a property that it computes, which a compiled class does not tell apart from one that it stores.</summary>
public class Account
{
    public long Id { get; set; }

    public string First { get; set; } = "";

    public string Last { get; set; } = "";

    public string FullName => $"{First} {Last}";
}
