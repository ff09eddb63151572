namespace Datacake.Operations.Tests;

/// <summary>Names the procedure of the guide that a test runs.</summary>
/// <param name="heading">The heading in the guide.</param>
[AttributeUsage(AttributeTargets.Method)]
sealed class ProcedureAttribute(string heading) : Attribute
{
    public string Heading => heading;
}
