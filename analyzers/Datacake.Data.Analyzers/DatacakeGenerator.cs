using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Datacake.Data.Analyzers;

/// <summary>
/// The source generator of Datacake.Data. It implements the keyspaces of every class derived from <c>DatacakeContext</c>, and writes a
/// model for each of their entity classes, so that nothing needs reflection at run time.
/// </summary>
[Generator(LanguageNames.CSharp)]
public sealed class DatacakeGenerator : IIncrementalGenerator
{
    internal const string ContextsStep = "Contexts", EntitiesStep = "Entities";

    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        var contexts = context.SyntaxProvider
            .CreateSyntaxProvider(
                static (node, _) => node is ClassDeclarationSyntax { BaseList.Types.Count: > 0 },
                static (syntax, cancellationToken) => ContextReader.Read(syntax, cancellationToken))
            .Where(static spec => spec is not null)
            .Select(static (spec, _) => spec!)
            .WithTrackingName(ContextsStep);

        // An entity class in several contexts has one model.
        var entities = contexts
            .SelectMany(static (spec, _) => spec.Entities)
            .Collect()
            .SelectMany(static (entities, _) => entities.GroupBy(entity => entity.ModelName).Select(group => group.First()))
            .WithTrackingName(EntitiesStep);

        // The code of a context does not depend on the content of its entities. Collecting the specs and separating them again makes the
        // generator compare them by value, rather than by the file that they come from.
        var withoutEntities = contexts
            .Select(static (spec, _) => spec with { Entities = default })
            .Collect()
            .SelectMany(static (specs, _) => specs);

        context.RegisterSourceOutput(withoutEntities, static (output, spec) =>
        {
            foreach (var diagnostic in spec.Diagnostics)
                output.ReportDiagnostic(diagnostic.ToDiagnostic());
            if (spec.IsPartial)
                output.AddSource($"{FileOf(spec)}.g.cs", ContextEmitter.Emit(spec));
            if (spec.Relations.Count > 0)
                output.AddSource($"{FileOf(spec)}.Relations.g.cs", RelationEmitter.Emit(spec));
            if (!spec.IsPartial)
                return;
            foreach (var (scope, number) in ContextEmitter.ScopesOf(spec).Select((scope, number) => (scope, number)))
                output.AddSource($"{FileOf(spec)}.Model{number}.g.cs", ContextEmitter.EmitScope(spec, scope, number));
        });
        context.RegisterSourceOutput(
            entities, static (output, spec) => output.AddSource($"{Names.FileOf(spec.ModelName)}.g.cs", new EntityEmitter(spec).Emit()));
    }

    /// <summary>Returns the name of a context's file, which includes the type parameters.</summary>
    static string FileOf(ContextSpec spec) => Names.FileOf(spec.FullName + spec.Name.Substring(spec.Name.IndexOf('<') is >= 0 and var start ? start : spec.Name.Length));
}
