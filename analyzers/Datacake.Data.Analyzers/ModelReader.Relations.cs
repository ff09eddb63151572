using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Datacake.Data.Analyzers;

/// <summary>Reads the relations that <c>OnModelCreating</c> declares.</summary>
sealed partial class ModelReader
{
    static readonly string[] DeleteBehaviors = ["Cascade", "SetNull", "Restrict", "NoAction"];

    /// <summary>Returns the configuration that is the result of a call on a relation, or of a call that begins one.</summary>
    RelationConfiguration? CallOfRelation(object target, IMethodSymbol method, InvocationExpressionSyntax call, SemanticModel semantics)
    {
        var arguments = call.ArgumentList.Arguments;
        bool isNamed = arguments.Count > 0 && arguments[0].Expression is not LiteralExpressionSyntax;
        switch (target, method.Name)
        {
            case (EntityConfiguration entity, "HasOne" or "HasMany"):
                string? navigation = isNamed ? Path(arguments, semantics) : null;
                var declared = new RelationConfiguration(
                    call.GetLocation(), EntityTypeOf(method.ContainingType.TypeArguments[0]) ?? method.ContainingType.TypeArguments[0],
                    method.TypeArguments[0], navigation, method.Name == "HasMany");
                entity.Relations.Add(declared);
                return declared;
            case (RelationConfiguration relation, "WithOne" or "WithMany"):
                relation.Inverse = isNamed ? Path(arguments, semantics) : null;
                relation.IsUnique = method.Name == "WithOne" && !relation.IsCollection;
                return relation;
            case (RelationConfiguration relation, "HasForeignKey"):
                relation.ForeignKey = Paths(arguments, semantics);
                relation.Dependent = method.TypeArguments.FirstOrDefault();
                return relation;
            case (RelationConfiguration relation, "OnDelete"):
                relation.DeleteBehavior = Constant(call, method, 0, semantics) is int behavior && behavior >= 0 && behavior < DeleteBehaviors.Length
                    ? DeleteBehaviors[behavior]
                    : null;
                return relation;
            case (RelationConfiguration relation, "IsRequired"):
                relation.IsRequired = Constant(call, method, 0, semantics) as bool?;
                return relation;
            default:
                Report(call, $"'{method.Name}' is not supported on a relation.");
                return null;
        }
    }
}
