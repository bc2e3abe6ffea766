<#
.SYNOPSIS
Brings models to a site without a network.
.DESCRIPTION
The models are saved into a staging store, what that has is copied to another, on a portable disk for instance, and the copy is
tested. Run it with -Destination alone at the site, to test what arrived there. What the tests found is the output.
.EXAMPLE
./Copy-ModelStore.ps1 -Name gemma4:31b, nomic-embed-text -StagingPath D:\staging -Destination E:\models
.EXAMPLE
./Copy-ModelStore.ps1 -Destination E:\models
#>
[CmdletBinding()]
param(
    [string[]] $Name,

    [string] $StagingPath,

    [Parameter(Mandatory)]
    [string] $Destination,

    [uri] $Registry
)

$ErrorActionPreference = 'Stop'
if ($Name) {
    $source = @{}
    if ($Registry) {
        $source.Registry = $Registry
    }

    $null = Save-ModelBlob -Name $Name -StorePath $StagingPath -VerifyInline @source
    $null = Get-ModelManifest -Source $StagingPath | Save-ModelBlob -StorePath $Destination -VerifyInline
}

Get-ModelManifest -Local -StorePath $Destination | Test-ModelBlob -StorePath $Destination
