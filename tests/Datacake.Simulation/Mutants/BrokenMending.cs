namespace Datacake.Simulation.Mutants;

sealed class ChecksumsAreNotVerified() : Mutant("R18: nobody looks whether a record is what was written there")
{
    public override string Theme => "damage";

    public override bool HidesDamage => true;
}

sealed class DamagedStoresAnswer() : Mutant("R18: a replica answers pulls though it shows more than it claims")
{
    public override string Theme => "damage of few";

    public override bool AnswersWhileMending => true;
}

sealed class MendedWithAnything() : Mutant("R18: a document is mended with what others have, though they lack some of what was written to it")
{
    public override string Theme => "damage of few";

    public override bool MendsAtOnce => true;
}

sealed class LostDocumentsAreNotFetched() : Mutant("R18: a keyspace is counted again before the documents that it has lost are back")
{
    public override string Theme => "damage of few";

    public override bool CountsWithoutTheLost => true;
}
